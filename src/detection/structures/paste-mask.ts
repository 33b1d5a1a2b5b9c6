import type { Size } from "./boxes";
import type { Box } from "./detection-set";
import { encodeWithin, type Rle } from "./mask-rle";

/** Probability from which a pixel belongs to the object. */
const threshold = 0.5;

/**
 * Puts a mask into its box in the whole image (detectron2's `paste_masks_in_image`): bilinear at the centers of the pixels,
 * falling to 0 beyond the border of the mask.
 *
 * @param probabilities - [side, side]
 * @param box - with area, in the image's pixels
 */
export function pasteMask(probabilities: Float32Array, box: Box, { height, width }: Size): Rle {
  const side = Math.sqrt(probabilities.length);
  const [left, top, right, bottom] = box;
  const columns = samples(left, right, width, side);
  const rows = samples(top, bottom, height, side);
  const at = (row: number, column: number) =>
    row < 0 || row >= side || column < 0 || column >= side ? 0 : probabilities[row * side + column]!;
  const part: number[] = [];
  for (const { low: row, share: down } of rows) {
    for (const { low: column, share: across } of columns) {
      const upper = (1 - across) * at(row, column) + across * at(row, column + 1);
      const lower = (1 - across) * at(row + 1, column) + across * at(row + 1, column + 1);
      part.push(Number((1 - down) * upper + down * lower >= threshold));
    }
  }
  const [x, y] = [columns[0]?.pixel ?? 0, rows[0]?.pixel ?? 0];
  return encodeWithin(part, [x, y, x + columns.length, y + rows.length], [height, width]);
}

/** For each pixel that the box reaches, the place in the mask before its center, and how far beyond it the center lies. */
function samples(from: number, to: number, length: number, side: number) {
  const first = Math.max(Math.floor(from), 0);
  const last = Math.min(Math.ceil(to), length);
  return Array.from({ length: Math.max(last - first, 0) }, (_, index) => {
    const pixel = first + index;
    const place = ((pixel + 0.5 - from) / (to - from)) * side - 0.5;
    const low = Math.floor(place);
    return { pixel, low, share: place - low };
  });
}
