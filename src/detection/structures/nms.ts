import { boxAreas } from "./box-iou";
import type { Boxes } from "./boxes";

/** Which boxes suppress which, and how many are wanted. */
export interface NmsOptions {
  /** A box goes if its IoU with a kept one is above this. */
  readonly threshold: number;
  /** At most so many are kept. */
  readonly limit: number;
  /** A number for each box, for example its class: only boxes of one group suppress each other. One group by default. */
  readonly groups?: Int32Array;
}

/**
 * Non-maximum suppression: keeps the box of the highest score, drops those that overlap it, and so on.
 *
 * @param scores - one a box
 * @returns positions of the kept boxes, from the highest score to the lowest
 */
export function nonMaxSuppression(boxes: Boxes, scores: Float32Array, options: NmsOptions): Int32Array {
  const { threshold, limit, groups } = options;
  const areas = boxAreas(boxes);
  const kept: number[] = [];
  for (const candidate of rankByScore(scores, scores.length)) {
    if (kept.length === limit) break;
    const at = 4 * candidate;
    const x1 = boxes[at]!;
    const y1 = boxes[at + 1]!;
    const x2 = boxes[at + 2]!;
    const y2 = boxes[at + 3]!;
    const area = areas[candidate]!;
    const group = groups?.[candidate];
    const suppressed = kept.some((other) => {
      if (groups?.[other] !== group) return false;
      const width = Math.min(x2, boxes[4 * other + 2]!) - Math.max(x1, boxes[4 * other]!);
      if (width <= 0) return false;
      const height = Math.min(y2, boxes[4 * other + 3]!) - Math.max(y1, boxes[4 * other + 1]!);
      if (height <= 0) return false;
      const intersection = width * height;
      return intersection / (area + areas[other]! - intersection) > threshold;
    });
    if (!suppressed) kept.push(candidate);
  }
  return Int32Array.from(kept);
}

/** Positions of the highest scores, from high to low; of equal scores the first goes first. */
export function rankByScore(scores: Float32Array, limit: number): Int32Array {
  const order = Int32Array.from(scores, (_, position) => position);
  order.sort((a, b) => scores[b]! - scores[a]! || a - b);
  return order.subarray(0, limit);
}
