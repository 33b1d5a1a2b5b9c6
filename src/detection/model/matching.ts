import type { Random } from "../../engine/random";

/** When a box counts as an object, as background, or as neither. */
export interface MatchingRule {
  /** Background below this IoU with every ground truth. */
  readonly low: number;
  /** An object from this IoU on. Between `low` and `high` a box is ignored. */
  readonly high: number;
  /**
   * Whether the boxes that overlap a ground truth most are objects in any case, so that each ground truth has one
   * (Faster R-CNN, section 3.1.2). True for anchors, false for proposals.
   */
  readonly allowLowQuality: boolean;
}

export const positive = 1;
export const negative = 0;
export const ignored = -1;

/** What {@link matchBoxes} found, for each box. */
export interface Matches {
  /** {@link positive}, {@link negative} or {@link ignored}. */
  readonly labels: Int8Array;
  /** The ground truth that the box overlaps most, the first of several; 0 where there is none. */
  readonly groundTruth: Int32Array;
}

/**
 * Matches boxes to ground truth by IoU, as detectron2's Matcher does.
 *
 * A low-quality match makes a box positive but leaves it with the ground truth that it overlaps most, which may be another.
 *
 * @param iou - [ground truth, boxes], row by row (see `pairwiseIou`); empty without ground truth: all boxes are negative
 * @param count - how many boxes there are
 */
export function matchBoxes(iou: Float32Array, count: number, { low, high, allowLowQuality }: MatchingRule): Matches {
  const labels = new Int8Array(count);
  const groundTruth = new Int32Array(count);
  if (iou.length === 0) return { labels, groundTruth };
  const rows = iou.length / count;
  const best = iou.slice(0, count);
  for (let row = 1; row < rows; row++) {
    for (let box = 0; box < count; box++) {
      const value = iou[row * count + box]!;
      if (value > best[box]!) {
        best[box] = value;
        groundTruth[box] = row;
      }
    }
  }
  // Rounded as the overlaps are: an overlap of exactly 0.7 reaches a threshold of 0.7.
  const [from, below] = [Math.fround(high), Math.fround(low)];
  best.forEach((value, box) => (labels[box] = value >= from ? positive : value < below ? negative : ignored));
  if (allowLowQuality) {
    for (let row = 0; row < rows; row++) {
      const ofRow = iou.subarray(row * count, (row + 1) * count);
      const highest = ofRow.reduce((most, value) => (value > most ? value : most), 0);
      ofRow.forEach((value, box) => {
        if (value === highest) labels[box] = positive;
      });
    }
  }
  return { labels, groundTruth };
}

/** Positions of the boxes that a loss is computed on. */
export interface BalancedSample {
  readonly positives: Int32Array;
  readonly negatives: Int32Array;
}

/**
 * Draws boxes without replacement: at most `positiveFraction * count` positives, negatives for the rest.
 *
 * Fewer than `count` where there are not enough negatives.
 */
export function sampleBalanced(
  labels: Int8Array,
  count: number,
  positiveFraction: number,
  random: Random,
): BalancedSample {
  const positives = draw(positionsOf(labels, positive), Math.floor(count * positiveFraction), random);
  const negatives = draw(positionsOf(labels, negative), count - positives.length, random);
  return { positives, negatives };
}

function positionsOf(labels: Int8Array, wanted: number): Int32Array {
  const positions: number[] = [];
  labels.forEach((label, position) => {
    if (label === wanted) positions.push(position);
  });
  return Int32Array.from(positions);
}

function draw(from: Int32Array, atMost: number, random: Random): Int32Array {
  return random
    .permutation(from.length)
    .subarray(0, atMost)
    .map((position) => from[position]!);
}
