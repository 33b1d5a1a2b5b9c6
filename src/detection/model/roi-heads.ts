import { DivergedError } from "../../errors";
import { gatherRows } from "../../engine/gather-rows";
import type { Random } from "../../engine/random";
import type { InputSpec, NamedTensors } from "../../engine/tensor-function";
import { tf } from "../../engine/tf";
import { crossEntropy } from "../../methods/losses";
import type { NormalizationMode } from "../../nn/resnet";
import type { DetectorConfig } from "../detector-config";
import { joinArrays, type Boxes, type Size } from "../structures/boxes";
import type { BatchLayout } from "./batch-layout";
import { architectureOf, type Detector } from "./detector";
import { boxRegressionLoss, deltasOfClass, rowsOfClass } from "./detector-losses";
import { maskHead, maskLoss, masksOfClass } from "./mask-head";
import { maskTargets } from "./mask-targets";
import { alignByInputs, alignmentInputs, alignmentSpecs, type AlignmentLayout } from "./region-alignment";
import { sampleRois, type GroundTruth } from "./training-samples";

/** A detector, and the shape of batches that it is used on. */
export interface DetectorOnBatch {
  readonly detector: Detector;
  readonly layout: BatchLayout;
}

/** The losses of what is made of each region. */
export interface RoiLosses<T> {
  /** Box head: cross-entropy over the classes and background, mean over the regions. */
  readonly classification: T;
  /** Box head: L1 distance of the deltas of regions on objects, divided by the number of all regions. */
  readonly box: T;
  /** Mask head: binary cross-entropy of the true class's masks, mean over the places of regions on objects. */
  readonly mask?: T | undefined;
}

/** Inputs of the losses of the heads: any number of regions, and of regions on objects. */
export function regionSpecs({ detector: { config }, layout }: DetectorOnBatch): Record<string, InputSpec> {
  const specs: Record<string, InputSpec> = {
    ...alignmentSpecs(layout.regions),
    /** 0 to K - 1, K for background. */
    classes: { shape: ["box regions"], dtype: "int32" },
    /** Rows of the deltas: of each region on an object those of its class. */
    deltaRows: { shape: ["objects"], dtype: "int32" },
    boxDeltas: { shape: ["objects", 4] },
  };
  if (!config.masks) return specs;
  const side = maskSide(config);
  return {
    ...specs,
    ...(layout.masks ? alignmentSpecs(layout.masks) : { maskRegions: { shape: ["mask regions"], dtype: "int32" } }),
    /** Rows of the masks: of each region on an object that of its class. */
    maskRows: { shape: ["mask regions"], dtype: "int32" },
    maskTargets: { shape: ["mask regions", side ** 2] },
    maskShare: { shape: [] },
  };
}

/**
 * Draws the regions that the heads learn from.
 *
 * @param proposals - of each image
 * @returns the inputs of {@link regionSpecs}; the caller disposes them
 * @throws DivergedError if no region is left to learn from
 */
export function drawRegions(
  { detector: { config }, layout }: DetectorOnBatch,
  proposals: readonly Boxes[],
  { sizes, truths }: { readonly sizes: readonly Size[]; readonly truths: readonly GroundTruth[] },
  random: Random,
): NamedTensors {
  const { classes, roisPerImage, masks } = config;
  const samples = proposals.map((boxes, image) => sampleRois(boxes, truths[image]!, classes, roisPerImage, random));
  const labels = Int32Array.from(samples.flatMap((sample) => [...sample.classes]));
  if (labels.length === 0) {
    throw new DivergedError(
      "Cannot train the box head: no region lies in an image of the batch; training has diverged",
    );
  }
  const { mapOf } = architectureOf(config);
  const objects = Int32Array.from(labels.keys()).filter((region) => labels[region]! < classes);
  const objectClasses = objects.map((region) => labels[region]!);
  const deltas = joinArrays(samples.map((sample) => sample.deltas));
  const align = (one: AlignmentLayout, rois: readonly Boxes[]) =>
    alignmentInputs(one, rois, (boxes) => mapOf(config, boxes));
  const integers = (values: Int32Array) => tf.tensor1d(values, "int32");
  const inputs = {
    ...align(
      layout.regions,
      samples.map(({ boxes }) => boxes),
    ),
    classes: integers(labels),
    deltaRows: integers(rowsOfClass(objects, objectClasses, classes)),
    boxDeltas: tf.tensor2d(deltas, [objects.length, 4]),
  };
  if (!masks) return inputs;
  const side = maskSide(config);
  const wanted = samples.map(({ boxes, groundTruth }, image) =>
    maskTargets(truths[image]!.masks!, sizes[image]!, boxes, groundTruth, side),
  );
  // TensorFlow's convolutions give wrong shapes where there are no regions: they see one then, which counts for nothing.
  const none = objects.length === 0;
  const masked = none ? Int32Array.of(0) : objects;
  const shown = samples.map(({ boxes, groundTruth }) => boxes.subarray(0, 4 * groundTruth.length));
  if (none) {
    const image = samples.findIndex(({ boxes }) => boxes.length > 0);
    shown[image] = samples[image]!.boxes.subarray(0, 4);
  }
  const targets = none ? new Float32Array(side ** 2) : joinArrays(wanted);
  return {
    ...inputs,
    ...(layout.masks ? align(layout.masks, shown) : { maskRegions: integers(masked) }),
    maskRows: integers(rowsOfClass(Int32Array.from(masked.keys()), none ? Int32Array.of(0) : objectClasses, classes)),
    maskTargets: tf.tensor2d(targets, [masked.length, side ** 2]),
    maskShare: tf.scalar(none ? 0 : 1 / targets.length),
  };
}

/**
 * The losses of the heads on the regions that were drawn.
 *
 * @param inputs - those of {@link regionSpecs}
 */
export function roiLosses(
  { detector, layout }: DetectorOnBatch,
  features: readonly tf.Tensor4D[],
  inputs: NamedTensors,
  mode: NormalizationMode,
): RoiLosses<tf.Scalar> {
  const { config } = detector;
  const { alignedMaps, regions, maskMaps } = architectureOf(config);
  const aligned = features.slice(0, alignedMaps);
  const { vectors, maps } = regions(detector, alignByInputs(layout.regions, aligned, inputs), mode);
  const { logits, deltas } = predictBoxes(detector, vectors);
  const labels = inputs["classes"] as tf.Tensor1D;
  const shifts = deltasOfClass(deltas, inputs["deltaRows"] as tf.Tensor1D);
  const losses = {
    classification: crossEntropy(logits, labels),
    box: tf.div<tf.Scalar>(boxRegressionLoss(shifts, inputs["boxDeltas"] as tf.Tensor2D), labels.size),
  };
  if (!config.masks) return losses;
  const chosen = layout.masks
    ? alignByInputs(layout.masks, aligned, inputs)
    : gatherRows(maps, inputs["maskRegions"] as tf.Tensor1D);
  const predicted = masksOfClass(
    maskHead(detector.parameters, maskMaps(detector, chosen)),
    inputs["maskRows"] as tf.Tensor1D,
  );
  const targets = inputs["maskTargets"] as tf.Tensor2D;
  return { ...losses, mask: maskLoss(predicted, targets, inputs["maskShare"] as tf.Scalar) };
}

/** The box head's two predictors: logits of the classes and background, [R, K + 1], and deltas, [R, 4 * K], class after class. */
export function predictBoxes(
  { parameters }: Detector,
  vectors: tf.Tensor2D,
): { logits: tf.Tensor2D; deltas: tf.Tensor2D } {
  const linear = (name: string) =>
    tf.add<tf.Tensor2D>(
      tf.matMul(vectors, parameters.tensor<tf.Tensor2D>(`box_predictor.${name}.weight`)),
      parameters.tensor(`box_predictor.${name}.bias`),
    );
  return { logits: linear("cls_score"), deltas: linear("bbox_pred") };
}

/** Side of the predicted masks. */
function maskSide(config: DetectorConfig): number {
  // C4's res5 halves the map of a region, and the mask head doubles it.
  return architectureOf(config).maskResolution(config) === undefined
    ? 2 * Math.ceil(config.roiResolution / 2)
    : 2 * architectureOf(config).maskResolution(config)!;
}
