import { DivergedError } from "../engine/errors";
import type { Random } from "../engine/random";
import { tf } from "../engine/tf";
import { crossEntropy } from "../methods/losses";
import type { NormalisationMode } from "../nn/resnet";
import type { Boxes } from "./boxes";
import { architectureOf, type Detector } from "./detector";
import { boxRegressionLoss, deltasOfClass } from "./detector-losses";
import { sampleRois, type GroundTruth } from "./training-samples";

/** The losses of what is made of each region. */
export interface RoiLosses<T> {
  /** Box head: cross-entropy over the classes and background, mean over the regions. */
  readonly classification: T;
  /** Box head: L1 distance of the deltas of regions on objects, divided by the number of all regions. */
  readonly box: T;
}

/** What the box head predicts of each region, picture after picture. */
export interface BoxPredictions {
  /** Of the classes and background, [R, K + 1]. */
  readonly logits: tf.Tensor2D;
  /** [R, 4 * K], class after class. */
  readonly deltas: tf.Tensor2D;
}

/**
 * The losses of the box head on regions drawn from the proposals.
 *
 * @param regions - proposals of each picture
 * @throws DivergedError if no region is left to learn from
 */
export function roiLosses(
  detector: Detector,
  features: tf.Tensor4D,
  regions: readonly Boxes[],
  truths: readonly GroundTruth[],
  random: Random,
  mode: NormalisationMode,
): RoiLosses<tf.Scalar> {
  const { classes, roisPerImage } = detector.config;
  const samples = regions.map((boxes, picture) => sampleRois(boxes, truths[picture]!, classes, roisPerImage, random));
  const labels = Int32Array.from(samples.flatMap((sample) => [...sample.classes]));
  if (labels.length === 0) {
    throw new DivergedError(
      "Cannot train the box head: no region lies in a picture of the batch; training has diverged",
    );
  }
  const rois = samples.map(({ boxes }) => boxes);
  const { logits, deltas } = predictBoxes(detector, features, rois, mode);
  const objects = Int32Array.from(labels.keys()).filter((region) => labels[region]! < classes);
  const shifts = deltasOfClass(
    deltas,
    objects,
    objects.map((region) => labels[region]!),
  );
  const targets = Float32Array.from(samples.flatMap((sample) => [...sample.deltas]));
  return {
    classification: crossEntropy(logits, labels),
    box: tf.div(boxRegressionLoss(shifts, targets), labels.length),
  };
}

/** The box head with its two predictors. */
export function predictBoxes(
  detector: Detector,
  features: tf.Tensor4D,
  rois: readonly Boxes[],
  mode: NormalisationMode,
): BoxPredictions {
  const { config, parameters } = detector;
  const vectors = architectureOf(config).regionVectors(detector, features, rois, mode);
  const linear = (name: string) =>
    tf.add<tf.Tensor2D>(
      tf.matMul(vectors, parameters.tensor<tf.Tensor2D>(`box_predictor.${name}.weight`)),
      parameters.tensor(`box_predictor.${name}.bias`),
    );
  return { logits: linear("cls_score"), deltas: linear("bbox_pred") };
}
