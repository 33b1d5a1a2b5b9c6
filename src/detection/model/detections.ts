import { decodeBoxes, roiBoxWeights } from "../structures/box-coding";
import { clipBoxes, nonEmptyBoxes, selectBoxes, type Boxes, type Size } from "../structures/boxes";
import { nonMaxSuppression } from "../structures/nms";

/** What a detector finds in one image, from the highest score to the lowest. */
export interface Detections {
  readonly boxes: Boxes;
  /** Probability of the class, one a box. */
  readonly scores: Float32Array;
  /** 0 to K - 1, one a box. */
  readonly classes: Int32Array;
  /**
   * Of each box, how likely its places belong to the object: [S, S] over the box. Only where masks are predicted.
   */
  readonly masks?: readonly Float32Array[];
}

// detectron2's defaults: SCORE_THRESH_TEST and NMS_THRESH_TEST.
// The score's limit is rounded as scores are, so that a score of 0.05 is not above it.
const scoreThreshold = Math.fround(0.05);
const nmsThreshold = 0.5;

/** How many detections of an image are kept where a detector says nothing else: detectron2's DETECTIONS_PER_IMAGE. */
export const defaultDetectionsPerImage = 100;

/**
 * The detections of one image (Fast R-CNN, section 3.1, with detectron2's limits): each class of each region whose
 * probability is above 0.05, thinned by non-maximum suppression within its class, the best ones.
 *
 * @param regions - proposals, [R] boxes
 * @param probabilities - [R, K + 1], the last is background
 * @param deltas - [R, 4 * K], class after class
 * @param image - size of this image without the padding of its batch
 * @param limit - how many are kept
 */
export function detectionsOf(
  regions: Boxes,
  probabilities: Float32Array,
  deltas: Float32Array,
  image: Size,
  limit = defaultDetectionsPerImage,
): Detections {
  const count = regions.length / 4;
  const classCount = count === 0 ? 0 : probabilities.length / count - 1;
  const rows: number[] = [];
  const likely: number[] = [];
  const candidateClasses: number[] = [];
  for (let region = 0; region < count; region++) {
    for (let label = 0; label < classCount; label++) {
      const score = probabilities[region * (classCount + 1) + label]!;
      if (!(score > scoreThreshold)) continue;
      rows.push(region);
      likely.push(score);
      candidateClasses.push(label);
    }
  }
  const classes = Int32Array.from(candidateClasses);
  const scores = Float32Array.from(likely);
  const ownDeltas = selectBoxes(
    deltas,
    classes.map((label, index) => rows[index]! * classCount + label),
  );
  const boxes = clipBoxes(decodeBoxes(ownDeltas, selectBoxes(regions, rows), roiBoxWeights), image);
  const kept = nonMaxSuppression(boxes, scores, { threshold: nmsThreshold, limit, groups: classes });
  return {
    boxes: selectBoxes(boxes, kept),
    scores: Float32Array.from(kept, (index) => scores[index]!),
    classes: kept.map((index) => classes[index]!),
  };
}

/** Detections in an image that was resized for the detector, in the pixels of the original; without those left empty. */
export function rescaleDetections({ boxes, scores, classes, masks }: Detections, from: Size, to: Size): Detections {
  const scales = [to.width / from.width, to.height / from.height] as const;
  const rescaled = clipBoxes(
    boxes.map((value, position) => value * scales[position % 2 === 0 ? 0 : 1]),
    to,
  );
  const kept = nonEmptyBoxes(rescaled);
  return {
    boxes: selectBoxes(rescaled, kept),
    scores: Float32Array.from(kept, (index) => scores[index]!),
    classes: kept.map((index) => classes[index]!),
    ...(masks && { masks: Array.from(kept, (index) => masks[index]!) }),
  };
}
