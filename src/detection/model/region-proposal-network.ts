import { gatherRows } from "../../engine/gather-rows";
import type { Random } from "../../engine/random";
import type { InputSpec, NamedTensors } from "../../engine/tensor-function";
import { tf } from "../../engine/tf";
import { boxCount, joinArrays, type Boxes, type Size } from "../structures/boxes";
import type { Detector } from "./detector";
import { boxRegressionLoss, binaryCrossEntropy } from "./detector-losses";
import { proposeRegions } from "./region-proposals";
import { type ProposalLimits } from "../detector-config";
import { rpnHead, type RpnOutput } from "./rpn-head";
import { sampleAnchors, type GroundTruth } from "./training-samples";

/** The losses of the region proposal network. */
export interface RpnLosses<T> {
  /** RPN: binary cross-entropy of object against background. */
  readonly objectness: T;
  /** RPN: L1 distance of the deltas of anchors on objects. */
  readonly rpnBox: T;
}

/** What the RPN's head says of the anchors of all levels, one level after the other. */
export function regionProposalNetwork({ parameters }: Detector, features: readonly tf.Tensor4D[]): RpnOutput {
  return tf.tidy(() => {
    const levels = features.map((map) => rpnHead(parameters, map));
    return {
      objectness: tf.concat(
        levels.map(({ objectness }) => objectness),
        1,
      ),
      deltas: tf.concat(
        levels.map(({ deltas }) => deltas),
        1,
      ),
    };
  });
}

/** Inputs of the losses of the RPN: any number of anchors. */
export const anchorSpecs = {
  /** Positions among the anchors of all images. */
  anchors: { shape: ["sampled anchors"], dtype: "int32" },
  /** 1 for an object, 0 for background. */
  anchorLabels: { shape: ["sampled anchors"] },
  /** Positions of those on objects. */
  objectAnchors: { shape: ["anchors on objects"], dtype: "int32" },
  /** Deltas to their objects. */
  anchorDeltas: { shape: ["anchors on objects", 4] },
} as const satisfies Readonly<Record<string, InputSpec>>;

/**
 * Draws the anchors that the RPN learns from.
 *
 * @param anchors - of all levels, one level after the other
 * @returns the inputs of {@link anchorSpecs}; the caller disposes them
 */
export function drawAnchors(
  anchors: Boxes,
  truths: readonly GroundTruth[],
  anchorsPerImage: number,
  random: Random,
): NamedTensors {
  const samples = truths.map((truth) => sampleAnchors(anchors, truth, anchorsPerImage, random));
  const inBatch = samples.map(({ indices }, image) => indices.map((index) => image * boxCount(anchors) + index));
  const objects = inBatch.map((indices, image) => indices.subarray(0, boxCount(samples[image]!.deltas)));
  const deltas = joinArrays(samples.map((sample) => sample.deltas));
  return {
    anchors: tf.tensor1d(Int32Array.from(inBatch.flatMap((indices) => [...indices])), "int32"),
    anchorLabels: tf.tensor1d(joinArrays(samples.map(({ labels }) => labels))),
    objectAnchors: tf.tensor1d(Int32Array.from(objects.flatMap((indices) => [...indices])), "int32"),
    anchorDeltas: tf.tensor2d(deltas, [boxCount(deltas), 4]),
  };
}

/**
 * Both are divided by how many anchors are wanted, whether or not there are so many (detectron2).
 *
 * @param inputs - those of {@link anchorSpecs}
 */
export function regionProposalLosses(
  { objectness, deltas }: RpnOutput,
  inputs: NamedTensors,
  anchorsPerImage: number,
): RpnLosses<tf.Scalar> {
  const [count, perImage] = objectness.shape;
  const { anchors, anchorLabels, objectAnchors, anchorDeltas } = inputs as Record<keyof typeof anchorSpecs, tf.Tensor>;
  const logits = gatherRows(objectness.as1D(), anchors as tf.Tensor1D);
  const shifts = gatherRows(deltas.as2D(count * perImage, 4), objectAnchors as tf.Tensor1D);
  const normalizer = anchorsPerImage * count;
  return {
    objectness: tf.div(binaryCrossEntropy(logits, anchorLabels as tf.Tensor1D), normalizer),
    rpnBox: tf.div(boxRegressionLoss(shifts, anchorDeltas as tf.Tensor2D), normalizer),
  };
}

/**
 * The proposals of each image. No gradient goes through them.
 *
 * @param levels - anchors of each level
 */
export function proposalsOf(
  rpn: RpnOutput,
  levels: readonly Boxes[],
  sizes: readonly Size[],
  limits: ProposalLimits,
): Boxes[] {
  const logits = rpn.objectness.dataSync<"float32">();
  const shifts = rpn.deltas.dataSync<"float32">();
  let first = 0;
  return sizes.map((size) => {
    const predictions = levels.map((anchors) => {
      const last = first + boxCount(anchors);
      const prediction = {
        anchors,
        objectness: logits.subarray(first, last),
        deltas: shifts.subarray(4 * first, 4 * last),
      };
      first = last;
      return prediction;
    });
    return proposeRegions(predictions, size, limits).boxes;
  });
}
