import type { Random } from "../engine/random";
import { copyTensor } from "../engine/recording";
import { relu } from "../engine/relu";
import { tf } from "../engine/tf";
import { ParameterVector, type TensorEntry } from "./parameters";
import { resNetFeatures, resNetMaps, resNetStem, type NormalizationMode } from "./resnet";
import { featureCount, resNetParameters, resNetRunningAverages, type ResNetConfig, type Stage } from "./resnet-layout";
import { averageStatistics, trainingMode, updateRunningAverages, type LayerStatistics } from "./running-averages";

/** A ResNet with a projection head: f_q or f_k of the paper (section 3.3). */
export interface EncoderConfig extends ResNetConfig {
  /** "linear": one fully connected layer (MoCo v1); "mlp": a hidden layer with ReLU before it (MoCo v2). */
  readonly head: "linear" | "mlp";
  /** Length of the output, 128 in the paper. */
  readonly dimension: number;
}

/** Weights and running averages of one encoder. Owns its tensors: call `dispose`. */
export interface Encoder {
  readonly config: EncoderConfig;
  /** Trainable: convolutions, batch normalization's scale and offset, head. */
  readonly parameters: ParameterVector;
  /** Running mean and variance of each batch normalization. */
  readonly running: ParameterVector;
}

/**
 * A randomly initialized encoder, by torchvision's rules: convolutions normal with variance 2 / fan-out, batch
 * normalization 1 and 0, fully connected layers uniform within 1 / sqrt(fan-in).
 */
export function createEncoder(config: EncoderConfig, random: Random): Encoder {
  const entries = encoderParameters(config);
  const headBound = 1 / Math.sqrt(featureCount(config));
  const values = entries.map((entry) => initialValues(entry, headBound, random));
  const running = resNetRunningAverages(config);
  return {
    config,
    parameters: new ParameterVector(entries, tf.tensor1d(joined(values))),
    running: new ParameterVector(
      running,
      tf.tensor1d(joined(running.map(({ name, shape }) => constant(shape, name.endsWith("running_var") ? 1 : 0)))),
    ),
  };
}

/** An encoder with the same weights and running averages, in memory of its own. */
export function copyEncoder({ config, parameters, running }: Encoder): Encoder {
  return {
    config,
    parameters: new ParameterVector(parameters.entries, copyTensor(parameters.values)),
    running: new ParameterVector(running.entries, copyTensor(running.values)),
  };
}

export function disposeEncoder({ parameters, running }: Encoder): void {
  parameters.dispose();
  running.dispose();
}

/** The trainable tensors of an encoder, in torchvision's order and names. */
export function encoderParameters(config: EncoderConfig): TensorEntry[] {
  const features = featureCount(config);
  const linear = (name: string, from: number, to: number): TensorEntry[] => [
    { name: `${name}.weight`, shape: [from, to] },
    { name: `${name}.bias`, shape: [to] },
  ];
  const head =
    config.head === "mlp"
      ? [...linear("fc.0", features, features), ...linear("fc.2", features, config.dimension)]
      : linear("fc", features, config.dimension);
  return [...resNetParameters(config), ...head];
}

/**
 * Encodes a batch in training mode: batch normalization uses the statistics of the batch.
 *
 * With `groups` above 1 the batch is cut into that many equal parts, each normalized by itself, as each GPU of the
 * official code does with its share (paper, section 3.3). The running averages move once, by the mean over the groups.
 *
 * @param images - [N, H, W, 3], normalized; N must be divisible by `groups`
 * @returns unit vectors, [N, dimension]
 */
export function encode(encoder: Encoder, images: tf.Tensor4D, groups: number): tf.Tensor2D {
  const statistics: LayerStatistics[] = [];
  const output = tf.tidy(() => l2Normalize(headOutputs(encoder, images, groups, statistics)));
  updateRunningAverages(encoder, statistics, groups);
  return output;
}

/** As {@link encode}, without scaling to length 1: the logits of a classifier. */
export function classLogits(encoder: Encoder, images: tf.Tensor4D, groups: number): tf.Tensor2D {
  const statistics: LayerStatistics[] = [];
  const output = headOutputs(encoder, images, groups, statistics);
  updateRunningAverages(encoder, statistics, groups);
  return output;
}

/**
 * What the head makes of a batch in training mode, [N, dimension]; the running averages stay as they are.
 *
 * @param statistics - receives what each batch normalization saw, for {@link updateRunningAverages}, which disposes it
 */
export function headOutputs(
  encoder: Encoder,
  images: tf.Tensor4D,
  groups: number,
  statistics: LayerStatistics[],
): tf.Tensor2D {
  return tf.tidy(() => {
    const mode = trainingMode(statistics);
    const parts = groups === 1 ? [images] : tf.split<tf.Tensor4D>(images, groups);
    const outputs = parts.map((part) =>
      project(encoder, resNetFeatures(encoder.config, encoder.parameters, part, mode)),
    );
    return groups === 1 ? outputs[0]! : tf.concat2d(outputs, 0);
  });
}

/**
 * Pooled features in evaluation mode (running averages), before the head: what the linear probe and kNN see.
 *
 * @param images - [N, H, W, 3], normalized
 * @returns [N, featureCount]
 */
export function backboneFeatures({ config, parameters, running }: Encoder, images: tf.Tensor4D): tf.Tensor2D {
  return tf.tidy(() => resNetFeatures(config, parameters, images, { training: false, running }));
}

/** Where features are taken from a network: after its stem, or after one of its stages. */
export type Depth = "stem" | Stage;

/**
 * As {@link backboneFeatures}, but pooled after the stem or an earlier stage.
 *
 * @returns [N, channels there]
 */
export function featuresAt({ config, parameters, running }: Encoder, images: tf.Tensor4D, depth: Depth): tf.Tensor2D {
  const mode: NormalizationMode = { training: false, running };
  return tf.tidy(() => {
    const map =
      depth === "stem"
        ? resNetStem(config, parameters, images, mode)
        : resNetMaps(config, parameters, images, mode, depth).at(-1)!;
    return tf.mean<tf.Tensor2D>(map, [1, 2]);
  });
}

/**
 * Unit vectors in evaluation mode (running averages), head included: what the official CIFAR-10 demo's kNN sees.
 *
 * @param images - [N, H, W, 3], normalized
 * @returns [N, dimension]
 */
export function embeddings(encoder: Encoder, images: tf.Tensor4D): tf.Tensor2D {
  return tf.tidy(() => l2Normalize(project(encoder, backboneFeatures(encoder, images))));
}

function project({ config, parameters }: Encoder, features: tf.Tensor2D): tf.Tensor2D {
  const linear = (x: tf.Tensor2D, name: string) =>
    tf.add<tf.Tensor2D>(
      tf.matMul(x, parameters.tensor<tf.Tensor2D>(`${name}.weight`)),
      parameters.tensor(`${name}.bias`),
    );
  return config.head === "mlp" ? linear(relu(linear(features, "fc.0")), "fc.2") : linear(features, "fc");
}

/** Scales each row of [N, C] to length 1. */
export function l2Normalize(x: tf.Tensor2D): tf.Tensor2D {
  return tf.tidy(() => tf.mul(x, tf.rsqrt(tf.maximum(tf.sum(tf.square(x), 1, true), 1e-24))));
}

/**
 * Sets the running averages to the plain mean of the batch statistics over the given batches (precise BN).
 *
 * A network that was never trained has none; a trained one may be measured on other data.
 *
 * @param batches - at least one, [N, H, W, 3] each, normalized; disposed here, one after the other
 */
export function estimateRunningAverages(
  { config, parameters, running }: Encoder,
  batches: Iterable<tf.Tensor4D>,
): void {
  averageStatistics(running, function* () {
    for (const images of batches) {
      yield (mode: NormalizationMode) => {
        tf.tidy(() => {
          resNetFeatures(config, parameters, images, mode);
        });
        images.dispose();
      };
    }
  });
}

function initialValues({ name, shape }: TensorEntry, headBound: number, random: Random): Float32Array {
  const size = tf.util.sizeFromShape([...shape]);
  const draw = (one: () => number) => Float32Array.from({ length: size }, one);
  if (shape.length === 4) {
    const fanOut = shape[0]! * shape[1]! * shape[3]!;
    const deviation = Math.sqrt(2 / fanOut);
    return draw(() => deviation * random.normal());
  }
  if (name.startsWith("fc.")) return draw(() => random.uniform(-headBound, headBound));
  return constant(shape, name.endsWith(".weight") ? 1 : 0);
}

function constant(shape: readonly number[], value: number): Float32Array {
  return new Float32Array(tf.util.sizeFromShape([...shape])).fill(value);
}

function joined(arrays: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(arrays.reduce((total, { length }) => total + length, 0));
  let offset = 0;
  for (const array of arrays) {
    all.set(array, offset);
    offset += array.length;
  }
  return all;
}
