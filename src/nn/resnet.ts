import { batchNormInference, batchNormTraining, type BatchStatistics } from "../engine/batch-norm";
import { conv2d } from "../engine/convolution";
import { relu } from "../engine/relu";
import { tf } from "../engine/tf";
import type { ParameterVector } from "./parameters";
import { dilate, specify, type BlockSpec, type ConvolutionSpec, type ResNetConfig, type Stage } from "./resnet-layout";

/** How a forward pass normalizes: with the batch's own statistics, handed to `onStatistics`, or with running averages. */
export type NormalizationMode =
  | { readonly training: true; readonly onStatistics: (layer: string, statistics: BatchStatistics) => void }
  | { readonly training: false; readonly running: ParameterVector };

/**
 * Forward pass.
 *
 * @param images - [N, H, W, 3], normalized
 * @returns pooled features, [N, featureCount]
 */
export function resNetFeatures(
  config: ResNetConfig,
  parameters: ParameterVector,
  images: tf.Tensor4D,
  mode: NormalizationMode,
): tf.Tensor2D {
  return tf.mean<tf.Tensor2D>(resNetMaps(config, parameters, images, mode, 4).at(-1)!, [1, 2]);
}

/**
 * Forward pass up to a stage.
 *
 * @param images - [N, H, W, 3], normalized
 * @returns the maps after stage 1, 2, ... to `last`, [N, H / stride, W / stride, channels] each
 */
export function resNetMaps(
  config: ResNetConfig,
  parameters: ParameterVector,
  images: tf.Tensor4D,
  mode: NormalizationMode,
  last: Stage,
): tf.Tensor4D[] {
  const { stages } = specify(config);
  let x = resNetStem(config, parameters, images, mode);
  return stages.slice(0, last).map((blocks) => (x = applyBlocks(parameters, x, blocks, mode)));
}

/**
 * The first convolution, and with the ImageNet stem the pooling: what stage 1 takes.
 *
 * @param images - [N, H, W, 3], normalized
 * @returns [N, H, W, width], with the ImageNet stem a quarter of the height and width
 */
export function resNetStem(
  config: ResNetConfig,
  parameters: ParameterVector,
  images: tf.Tensor4D,
  mode: NormalizationMode,
): tf.Tensor4D {
  const { stem, maxPool } = specify(config);
  return tf.tidy(() => {
    const x = relu(convolveAndNormalize(parameters, images, stem, mode));
    if (!maxPool) return x;
    // After a ReLU, padding with zeros is padding with minus infinity.
    const padded = tf.pad4d(x, [
      [0, 0],
      [1, 1],
      [1, 1],
      [0, 0],
    ]);
    return tf.maxPool(padded, 3, 2, "valid");
  });
}

/**
 * One stage by itself.
 *
 * @param x - the map of the stage before, [N, H, W, channels]
 * @param dilation - above 1: the stage keeps the height and width, see {@link dilate}
 */
export function resNetStage(
  config: ResNetConfig,
  parameters: ParameterVector,
  x: tf.Tensor4D,
  mode: NormalizationMode,
  stage: Stage,
  dilation = 1,
): tf.Tensor4D {
  const blocks = specify(config).stages[stage - 1]!;
  return applyBlocks(parameters, x, dilation > 1 ? dilate(blocks, dilation) : blocks, mode);
}

function applyBlocks(
  parameters: ParameterVector,
  input: tf.Tensor4D,
  blocks: readonly BlockSpec[],
  mode: NormalizationMode,
): tf.Tensor4D {
  let x = input;
  for (const { convolutions, downsample } of blocks) {
    const block = (from: tf.Tensor4D): tf.Tensor4D => {
      const shortcut = downsample === undefined ? from : convolveAndNormalize(parameters, from, downsample, mode);
      let y = from;
      convolutions.forEach((convolution, index) => {
        y = convolveAndNormalize(parameters, index === 0 ? y : relu(y), convolution, mode);
      });
      return relu(tf.add(y, shortcut));
    };
    // Frees what no gradient needs: tfjs would hold it until the whole pass forward is done.
    const from = x;
    x = tf.tidy(() => block(from));
  }
  return x;
}

function convolveAndNormalize(
  parameters: ParameterVector,
  x: tf.Tensor4D,
  spec: ConvolutionSpec,
  mode: NormalizationMode,
): tf.Tensor4D {
  return normalize(parameters, conv2d(x, parameters.tensor(`${spec.name}.weight`), spec), spec.norm, mode);
}

/**
 * Batch normalization by the network's parameters.
 *
 * @param x - [N, H, W, channels]
 * @param norm - its name, for example "layer1.0.bn1"
 */
export function normalize(
  parameters: ParameterVector,
  x: tf.Tensor4D,
  norm: string,
  mode: NormalizationMode,
): tf.Tensor4D {
  const scale = parameters.tensor<tf.Tensor1D>(`${norm}.weight`);
  const offset = parameters.tensor<tf.Tensor1D>(`${norm}.bias`);
  if (mode.training) return batchNormTraining(x, scale, offset, (batch) => mode.onStatistics(norm, batch));
  const mean = mode.running.tensor<tf.Tensor1D>(`${norm}.running_mean`);
  const variance = mode.running.tensor<tf.Tensor1D>(`${norm}.running_var`);
  return batchNormInference(x, scale, offset, mean, variance);
}
