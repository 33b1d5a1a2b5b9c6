import { DivergedError } from "../../errors";
import type { Random } from "../../engine/random";
import { tf } from "../../engine/tf";
import { crossEntropy } from "../../methods/losses";
import type { NormalizationMode } from "../../nn/resnet";
import { boxCount, joinArrays, type Boxes, type Size } from "../structures/boxes";
import { detectionsOf, type Detections } from "./detections";
import { architectureOf, type Detector } from "./detector";
import { boxRegressionLoss, deltasOfClass } from "./detector-losses";
import { maskHead, maskLoss, masksOfClass } from "./mask-head";
import { maskTargets } from "./mask-targets";
import { sampleRois, type GroundTruth } from "./training-samples";

/** The losses of what is made of each region. */
export interface RoiLosses<T> {
  /** Box head: cross-entropy over the classes and background, mean over the regions. */
  readonly classification: T;
  /** Box head: L1 distance of the deltas of regions on objects, divided by the number of all regions. */
  readonly box: T;
  /** Mask head: binary cross-entropy of the true class's masks, mean over the places of regions on objects. */
  readonly mask?: T | undefined;
}

/**
 * The losses of the heads on regions drawn from the proposals.
 *
 * @param regions - proposals of each image
 * @throws DivergedError if no region is left to learn from
 */
export function roiLosses(
  detector: Detector,
  features: readonly tf.Tensor4D[],
  regions: readonly Boxes[],
  { sizes, truths }: { readonly sizes: readonly Size[]; readonly truths: readonly GroundTruth[] },
  random: Random,
  mode: NormalizationMode,
): RoiLosses<tf.Scalar> {
  const { classes, roisPerImage, masks } = detector.config;
  const samples = regions.map((boxes, image) => sampleRois(boxes, truths[image]!, classes, roisPerImage, random));
  const labels = Int32Array.from(samples.flatMap((sample) => [...sample.classes]));
  if (labels.length === 0) {
    throw new DivergedError(
      "Cannot train the box head: no region lies in an image of the batch; training has diverged",
    );
  }
  const rois = samples.map(({ boxes }) => boxes);
  const { vectors, maskMaps } = architectureOf(detector.config).regions(detector, features, rois, mode);
  const { logits, deltas } = predictBoxes(detector, vectors());
  const objects = Int32Array.from(labels.keys()).filter((region) => labels[region]! < classes);
  const objectClasses = objects.map((region) => labels[region]!);
  const shifts = deltasOfClass(deltas, objects, objectClasses);
  const targets = Float32Array.from(samples.flatMap((sample) => [...sample.deltas]));
  const losses = {
    classification: crossEntropy(logits, tf.tensor1d(labels, "int32")),
    box: tf.div<tf.Scalar>(boxRegressionLoss(shifts, targets), labels.length),
  };
  if (!masks) return losses;
  const predicted = maskHead(detector.parameters, maskMaps(objects));
  const side = predicted.shape[1];
  const wanted = samples.map(({ boxes, groundTruth }, image) =>
    maskTargets(truths[image]!.masks!, sizes[image]!, boxes, groundTruth, side),
  );
  return { ...losses, mask: maskLoss(masksOfClass(predicted, objectClasses), joinArrays(wanted)) };
}

/**
 * What the heads find in the regions of each image.
 *
 * @param regions - proposals of each image
 */
export function detectInRegions(
  detector: Detector,
  features: readonly tf.Tensor4D[],
  regions: readonly Boxes[],
  sizes: readonly Size[],
  mode: NormalizationMode,
): Detections[] {
  const { config } = detector;
  if (regions.every(({ length }) => length === 0)) return regions.map(() => noDetections);
  const { vectors } = architectureOf(config).regions(detector, features, regions, mode);
  const { logits, deltas } = predictBoxes(detector, vectors());
  const scores = tf.softmax(logits).dataSync<"float32">();
  const shifts = deltas.dataSync<"float32">();
  let first = 0;
  const found = regions.map((boxes, image) => {
    const last = first + boxCount(boxes);
    const of = (values: Float32Array, each: number) => values.subarray(first * each, last * each);
    const detections = detectionsOf(
      boxes,
      of(scores, config.classes + 1),
      of(shifts, 4 * config.classes),
      sizes[image]!,
      config.detectionsPerImage,
    );
    first = last;
    return detections;
  });
  return config.masks ? withMasks(detector, features, found, mode) : found;
}

const noDetections: Detections = {
  boxes: new Float32Array(0),
  scores: new Float32Array(0),
  classes: new Int32Array(0),
};

/** The box head's two predictors: logits of the classes and background, [R, K + 1], and deltas, [R, 4 * K], class after class. */
function predictBoxes({ parameters }: Detector, vectors: tf.Tensor2D): { logits: tf.Tensor2D; deltas: tf.Tensor2D } {
  const linear = (name: string) =>
    tf.add<tf.Tensor2D>(
      tf.matMul(vectors, parameters.tensor<tf.Tensor2D>(`box_predictor.${name}.weight`)),
      parameters.tensor(`box_predictor.${name}.bias`),
    );
  return { logits: linear("cls_score"), deltas: linear("bbox_pred") };
}

/** Masks are predicted of the boxes that were found, not of their regions (Mask R-CNN, section 3.1). */
function withMasks(
  detector: Detector,
  features: readonly tf.Tensor4D[],
  found: readonly Detections[],
  mode: NormalizationMode,
): Detections[] {
  const boxes = found.map((detections) => detections.boxes);
  const classes = Int32Array.from(found.flatMap((detections) => [...detections.classes]));
  if (classes.length === 0) return [...found];
  const { maskMaps } = architectureOf(detector.config).regions(detector, features, boxes, mode);
  const maps = maskMaps(Int32Array.from(classes.keys()));
  const likely = tf.sigmoid(masksOfClass(maskHead(detector.parameters, maps), classes));
  const [, length] = likely.shape;
  const values = likely.dataSync<"float32">();
  let first = 0;
  return found.map((detections) => {
    const masks = Array.from(detections.classes, () => values.subarray(first * length, ++first * length));
    return { ...detections, masks };
  });
}
