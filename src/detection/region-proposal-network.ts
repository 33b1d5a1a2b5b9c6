import type { Random } from "../engine/random";
import { tf } from "../engine/tf";
import { levelAnchors } from "./anchors";
import { boxCount, type Boxes, type Size } from "./boxes";
import { anchorAspectRatios, architectureOf, type Detector } from "./detector";
import { boxRegressionLoss, binaryCrossEntropy } from "./detector-losses";
import { proposeRegions, type ProposalLimits } from "./region-proposals";
import type { RpnOutput } from "./rpn-head";
import { sampleAnchors, type GroundTruth } from "./training-samples";

/** The losses of the region proposal network. */
export interface RpnLosses<T> {
  /** RPN: binary cross-entropy of object against background. */
  readonly objectness: T;
  /** RPN: L1 distance of the deltas of anchors on objects. */
  readonly rpnBox: T;
}

/** Both are divided by how many anchors are wanted, whether or not there are so many (detectron2). */
export function regionProposalLosses(
  { objectness, deltas }: RpnOutput,
  anchors: Boxes,
  truths: readonly GroundTruth[],
  anchorsPerImage: number,
  random: Random,
): RpnLosses<tf.Scalar> {
  const [count, perPicture] = objectness.shape;
  const indices: number[] = [];
  const labels: number[] = [];
  const objects: number[] = [];
  const targets: number[] = [];
  truths.forEach((truth, picture) => {
    const sample = sampleAnchors(anchors, truth, anchorsPerImage, random);
    const inBatch = sample.indices.map((index) => picture * perPicture + index);
    indices.push(...inBatch);
    labels.push(...sample.labels);
    objects.push(...inBatch.subarray(0, sample.deltas.length / 4));
    targets.push(...sample.deltas);
  });
  const logits = tf.gather(objectness.as1D(), tf.tensor1d(indices, "int32"));
  const shifts = tf.gather(deltas.as2D(count * perPicture, 4), tf.tensor1d(objects, "int32"));
  const normaliser = anchorsPerImage * count;
  return {
    objectness: tf.div(binaryCrossEntropy(logits, Float32Array.from(labels)), normaliser),
    rpnBox: tf.div(boxRegressionLoss(shifts, Float32Array.from(targets)), normaliser),
  };
}

/** Also over the padding of smaller pictures, where anchors are background, as in detectron2. */
export function anchorsOn({ config }: Detector, features: tf.Tensor4D): Boxes {
  const [, height, width] = features.shape;
  const level = {
    size: { height, width },
    stride: architectureOf(config).stride(config.backbone),
    anchorSizes: config.anchorSizes,
  };
  return levelAnchors(level, anchorAspectRatios);
}

/** The proposals of each picture. No gradient goes through them. */
export function proposalsOf(rpn: RpnOutput, anchors: Boxes, sizes: readonly Size[], limits: ProposalLimits): Boxes[] {
  const logits = rpn.objectness.dataSync<"float32">();
  const shifts = rpn.deltas.dataSync<"float32">();
  const count = boxCount(anchors);
  return sizes.map((size, picture) => {
    const objectness = logits.subarray(picture * count, (picture + 1) * count);
    const deltas = shifts.subarray(4 * picture * count, 4 * (picture + 1) * count);
    return proposeRegions([{ anchors, objectness, deltas }], size, limits).boxes;
  });
}
