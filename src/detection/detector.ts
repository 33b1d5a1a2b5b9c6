import { InputError } from "../engine/errors";
import type { Random } from "../engine/random";
import { tf } from "../engine/tf";
import type { Encoder } from "../nn/encoder";
import { flatten, ParameterVector, type TensorEntry } from "../nn/parameters";
import {
  featureCount,
  resNetParameters,
  resNetRunningAverages,
  stageChannels,
  type ResNetConfig,
} from "../nn/resnet-layout";
import type { ProposalLimits } from "./region-proposals";
import { rpnHeadParameters } from "./rpn-head";

/** Height / width of the anchors of each size (Faster R-CNN, section 3.1.1). */
export const anchorAspectRatios = [0.5, 1, 2] as const;

/** What defines Faster R-CNN with the C4 backbone: stages 1 to 3 find regions, stage 4 (res5) is the box head. */
export interface DetectorConfig {
  readonly backbone: ResNetConfig;
  /** K, without background. */
  readonly classes: number;
  /** Sides of the square anchors, in pixels of the picture. */
  readonly anchorSizes: readonly number[];
  readonly proposals: { readonly training: ProposalLimits; readonly inference: ProposalLimits };
  /** How many anchors of a picture the RPN learns from in a step. */
  readonly anchorsPerImage: number;
  /** How many regions of a picture the box head learns from in a step. */
  readonly roisPerImage: number;
  /** Side of RoIAlign's output, halved by res5. */
  readonly roiResolution: number;
}

/** detectron2's defaults for C4, which the official detection configurations keep (`detectron2/config/defaults.py`). */
export const c4Defaults = {
  anchorSizes: [32, 64, 128, 256, 512],
  proposals: {
    training: { beforeNms: 12000, afterNms: 2000 },
    inference: { beforeNms: 6000, afterNms: 1000 },
  },
  anchorsPerImage: 256,
  roisPerImage: 512,
  roiResolution: 14,
} as const satisfies Omit<DetectorConfig, "backbone" | "classes">;

/** Weights and running averages of a detector. Owns its tensors: call {@link disposeDetector}. */
export interface Detector {
  readonly config: DetectorConfig;
  /** The backbone's tensors under torchvision's names, those of the heads under detectron2's. All are trained. */
  readonly parameters: ParameterVector;
  /** Running mean and variance of each batch normalisation. */
  readonly running: ParameterVector;
}

/** The batch normalisation after res5 (paper, appendix A.1). */
export const extraNorm = "res5_norm";

/** The trainable tensors, in the order of the forward pass. */
export function detectorParameters({ backbone, classes, anchorSizes }: DetectorConfig): TensorEntry[] {
  const features = featureCount(backbone);
  return [
    ...resNetParameters(backbone),
    ...rpnHeadParameters(stageChannels(backbone, 3), anchorSizes.length * anchorAspectRatios.length),
    { name: `${extraNorm}.weight`, shape: [features] },
    { name: `${extraNorm}.bias`, shape: [features] },
    { name: "box_predictor.cls_score.weight", shape: [features, classes + 1] },
    { name: "box_predictor.cls_score.bias", shape: [classes + 1] },
    { name: "box_predictor.bbox_pred.weight", shape: [features, 4 * classes] },
    { name: "box_predictor.bbox_pred.bias", shape: [4 * classes] },
  ];
}

/** The running averages of the batch normalisations. */
export function detectorRunningAverages({ backbone }: DetectorConfig): TensorEntry[] {
  const shape = [featureCount(backbone)];
  return [
    ...resNetRunningAverages(backbone),
    { name: `${extraNorm}.running_mean`, shape },
    { name: `${extraNorm}.running_var`, shape },
  ];
}

/**
 * A detector with the backbone of an encoder, pre-trained or random, and newly initialised heads: normal with deviation
 * 0.01, 0.001 for the box deltas (detectron2).
 *
 * @param encoder - its weights and running averages are copied; its own head is left out
 * @throws InputError if the encoder's network is another than the configuration's backbone
 */
export function createDetector(config: DetectorConfig, encoder: Encoder, random: Random): Detector {
  for (const key of ["architecture", "width", "stem"] as const) {
    if (encoder.config[key] !== config.backbone[key]) {
      throw new InputError(
        `Cannot put the encoder into the detector: its ${key} must be ${config.backbone[key]}, current value is ${encoder.config[key]}`,
      );
    }
  }
  const ofBackbone = new Set(encoder.parameters.entries.map(({ name }) => name));
  const parameters = vectorOf(detectorParameters(config), ({ name, shape }) =>
    ofBackbone.has(name) ? tf.clone(encoder.parameters.tensor(name)) : initialHead(name, shape, random),
  );
  const running = vectorOf(detectorRunningAverages(config), ({ name, shape }) => {
    if (!name.startsWith(extraNorm)) return tf.clone(encoder.running.tensor(name));
    return name.endsWith("running_var") ? tf.ones([...shape]) : tf.zeros([...shape]);
  });
  return { config, parameters, running };
}

export function disposeDetector({ parameters, running }: Detector): void {
  parameters.dispose();
  running.dispose();
}

function initialHead(name: string, shape: readonly number[], random: Random): tf.Tensor {
  if (name === `${extraNorm}.weight`) return tf.ones([...shape]);
  if (name.endsWith(".bias")) return tf.zeros([...shape]);
  const deviation = name.includes("bbox_pred") ? 0.001 : 0.01;
  const size = tf.util.sizeFromShape([...shape]);
  return tf.tensor(
    Float32Array.from({ length: size }, () => deviation * random.normal()),
    [...shape],
  );
}

function vectorOf(entries: readonly TensorEntry[], valueOf: (entry: TensorEntry) => tf.Tensor): ParameterVector {
  return new ParameterVector(
    entries,
    tf.tidy(() => flatten(entries.map(valueOf))),
  );
}
