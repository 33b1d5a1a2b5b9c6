import { InputError } from "../errors";
import type { Random } from "../engine/random";
import { copyTensor } from "../engine/recording";
import { relu } from "../engine/relu";
import { tf } from "../engine/tf";
import type { Network } from "./network";
import { initialParameters, initialRunningAverages } from "./initial-values";
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
export interface Encoder extends Network {
  readonly config: EncoderConfig;
  /** Trainable: convolutions, batch normalization's scale and offset, head. */
  readonly parameters: ParameterVector;
  /** Running mean and variance of each batch normalization. */
  readonly running: ParameterVector;
}

/** A randomly initialized encoder, by torchvision's rules: see {@link initialParameters}. */
export function createEncoder(config: EncoderConfig, random: Random): Encoder {
  const parameters = initialParameters(encoderParameters(config), random);
  return { config, parameters, running: initialRunningAverages(resNetRunningAverages(config)) };
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

/**
 * The trainable tensors of an encoder, in torchvision's order and names.
 *
 * @throws InputError if the width is no whole number above 0, or the dimension none from 0, which a backbone without a head has
 */
export function encoderParameters(config: EncoderConfig): TensorEntry[] {
  const { dimension } = config;
  if (!Number.isInteger(dimension) || dimension < 0) {
    throw new InputError(
      `Cannot build an encoder: its dimension must be a whole number, or 0 without a head, current value is ${dimension}`,
    );
  }
  const features = featureCount(config);
  const linear = (name: string, from: number, to: number): TensorEntry[] => [
    { name: `${name}.weight`, shape: [from, to] },
    { name: `${name}.bias`, shape: [to] },
  ];
  const head =
    config.head === "mlp"
      ? [...linear("fc.0", features, features), ...linear("fc.2", features, dimension)]
      : linear("fc", features, dimension);
  return [...resNetParameters(config), ...head];
}

/** How a batch is cut for batch normalization. */
export interface BatchGroups {
  /** Parts of the batch with batch statistics of their own. */
  readonly bnGroups: number;
}

/**
 * Encodes a batch in training mode: batch normalization uses the statistics of the batch.
 *
 * With `bnGroups` above 1 the batch is cut into that many equal parts, each normalized by itself, as each GPU of the
 * official code does with its share (paper, section 3.3). The running averages move once, by the mean over the groups.
 *
 * @param images - [N, H, W, 3], normalized; N must be divisible by `bnGroups`
 * @returns unit vectors, [N, dimension]
 */
export function encode(encoder: Encoder, images: tf.Tensor4D, { bnGroups }: BatchGroups): tf.Tensor2D {
  const statistics: LayerStatistics[] = [];
  const output = tf.tidy(() => l2Normalize(headOutputs(encoder, images, bnGroups, statistics)));
  updateRunningAverages(encoder, statistics, bnGroups);
  return output;
}

/** As {@link encode}, without scaling to length 1: the logits of a classifier, or what a predictor takes. */
export function forward(encoder: Encoder, images: tf.Tensor4D, { bnGroups }: BatchGroups): tf.Tensor2D {
  const statistics: LayerStatistics[] = [];
  const output = headOutputs(encoder, images, bnGroups, statistics);
  updateRunningAverages(encoder, statistics, bnGroups);
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
