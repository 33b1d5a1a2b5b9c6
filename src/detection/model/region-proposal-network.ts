import type { Random } from "../../engine/random";
import { tf } from "../../engine/tf";
import { levelAnchors } from "./anchors";
import { boxCount, joinArrays, type Boxes, type Size } from "../structures/boxes";
import { anchorAspectRatios, architectureOf, type Detector } from "./detector";
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

/**
 * Both are divided by how many anchors are wanted, whether or not there are so many (detectron2).
 *
 * @param levels - anchors of each level
 */
export function regionProposalLosses(
  { objectness, deltas }: RpnOutput,
  levels: readonly Boxes[],
  truths: readonly GroundTruth[],
  anchorsPerImage: number,
  random: Random,
): RpnLosses<tf.Scalar> {
  const [count, perImage] = objectness.shape;
  const anchors = joinArrays(levels);
  const indices: number[] = [];
  const labels: number[] = [];
  const objects: number[] = [];
  const targets: number[] = [];
  truths.forEach((truth, image) => {
    const sample = sampleAnchors(anchors, truth, anchorsPerImage, random);
    const inBatch = sample.indices.map((index) => image * perImage + index);
    indices.push(...inBatch);
    labels.push(...sample.labels);
    objects.push(...inBatch.subarray(0, sample.deltas.length / 4));
    targets.push(...sample.deltas);
  });
  const logits = tf.gather(objectness.as1D(), tf.tensor1d(indices, "int32"));
  const shifts = tf.gather(deltas.as2D(count * perImage, 4), tf.tensor1d(objects, "int32"));
  const normalizer = anchorsPerImage * count;
  return {
    objectness: tf.div(binaryCrossEntropy(logits, Float32Array.from(labels)), normalizer),
    rpnBox: tf.div(boxRegressionLoss(shifts, Float32Array.from(targets)), normalizer),
  };
}

/** The anchors of each level; also over the padding of smaller images, where they are background, as in detectron2. */
export function anchorsOn({ config }: Detector, features: readonly tf.Tensor4D[]): Boxes[] {
  return architectureOf(config)
    .levels(config)
    .map((level, index) => {
      const [, height, width] = features[index]!.shape;
      return levelAnchors({ ...level, size: { height, width } }, anchorAspectRatios);
    });
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
