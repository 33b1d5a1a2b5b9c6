import { boxCount, type Boxes } from "../structures/boxes";

/** Level that a region of the canonical size is aligned on (FPN, section 4.2), and the finest and the coarsest. */
const canonicalLevel = 4;
const coarsestLevel = 5;
export const finestLevel = 2;

/**
 * On which level each region is aligned: the larger, the coarser (FPN, equation 1).
 *
 * @param canonicalSize - side of the squares that belong to level 4
 * @returns 2 to 5
 */
export function pyramidLevels(boxes: Boxes, canonicalSize: number): Int32Array {
  return Int32Array.from({ length: boxCount(boxes) }, (_, index) => {
    const [width, height] = [0, 1].map((axis) => boxes[4 * index + 2 + axis]! - boxes[4 * index + axis]!);
    const size = Math.sqrt(width! * height!);
    // detectron2's epsilon keeps the logarithm of a region without area finite.
    const level = Math.floor(canonicalLevel + Math.log2(size / canonicalSize + 1e-8));
    return Math.min(Math.max(level, finestLevel), coarsestLevel);
  });
}
