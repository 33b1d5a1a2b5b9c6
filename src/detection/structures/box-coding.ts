import { boxCount, type Boxes } from "./boxes";

/** What the four deltas (x, y, width, height) are multiplied by, so that the network sees numbers near 1. */
export type BoxCodingWeights = readonly [number, number, number, number];

/** Weights of the region proposal network in detectron2. */
export const rpnBoxWeights: BoxCodingWeights = [1, 1, 1, 1];

/** Weights of the box head in detectron2. */
export const roiBoxWeights: BoxCodingWeights = [10, 10, 5, 5];

/** Largest logarithm by which a box is widened: an image of 1000 px against a stride of 16 (detectron2's limit). */
const scaleClamp = Math.log(1000 / 16);

/**
 * Deltas that lead from one box to another (R-CNN, appendix C): shift of the center as a share of the source's width and
 * height, and logarithm of the ratio of the sides, times the weights.
 *
 * @param sources - anchors or proposals, [N] boxes with area
 * @param targets - ground truth, [N] boxes with area
 * @returns 4 deltas a box
 */
export function encodeBoxes(sources: Boxes, targets: Boxes, weights: BoxCodingWeights): Float32Array {
  const deltas = new Float32Array(sources.length);
  for (let at = 0; at < sources.length; at += 4) {
    for (let axis = 0; axis < 2; axis++) {
      const length = sources[at + 2 + axis]! - sources[at + axis]!;
      const targetLength = targets[at + 2 + axis]! - targets[at + axis]!;
      const center = sources[at + axis]! + length / 2;
      const targetCenter = targets[at + axis]! + targetLength / 2;
      deltas[at + axis] = (weights[axis]! * (targetCenter - center)) / length;
      deltas[at + 2 + axis] = weights[2 + axis]! * Math.log(targetLength / length);
    }
  }
  return deltas;
}

/**
 * The boxes that deltas lead to: the inverse of {@link encodeBoxes}. Growth is limited to 62.5 times.
 *
 * @param deltas - 4 numbers a box, or 4 for each of K classes a box: [N, K, 4]
 * @param sources - [N] boxes
 * @returns N boxes, or N times K
 */
export function decodeBoxes(deltas: Float32Array, sources: Boxes, weights: BoxCodingWeights): Boxes {
  const boxes = new Float32Array(deltas.length);
  const perSource = deltas.length / boxCount(sources);
  for (let at = 0; at < deltas.length; at += 4) {
    const source = 4 * Math.floor(at / perSource);
    for (let axis = 0; axis < 2; axis++) {
      const length = sources[source + 2 + axis]! - sources[source + axis]!;
      const center = sources[source + axis]! + length / 2;
      const targetCenter = center + (deltas[at + axis]! / weights[axis]!) * length;
      const growth = Math.min(deltas[at + 2 + axis]! / weights[2 + axis]!, scaleClamp);
      const half = (Math.exp(growth) * length) / 2;
      boxes[at + axis] = targetCenter - half;
      boxes[at + 2 + axis] = targetCenter + half;
    }
  }
  return boxes;
}
