import type { Size } from "./boxes";
import { decodeWithin, encodeWithin, maskBox, type Mask } from "./mask-rle";

/**
 * The mask of an object in an image that was resized and perhaps mirrored left to right: outlines move, and of run lengths
 * each pixel takes the nearest one's value (detectron2's `apply_segmentation`).
 */
export function transformMask(mask: Mask, from: Size, to: Size, mirrored: boolean): Mask {
  if (!("counts" in mask)) {
    const [across, down] = [to.width / from.width, to.height / from.height];
    const moved = (value: number, position: number) => {
      if (position % 2 === 1) return value * down;
      return mirrored ? to.width - value * across : value * across;
    };
    return mask.map((polygon) => polygon.map(moved));
  }
  const box = maskBox(mask);
  const source = decodeWithin(mask, box);
  const columns = nearestWithin(from.width, to.width, box[0], box[2]);
  const rows = nearestWithin(from.height, to.height, box[1], box[3]);
  const [across, down] = [columns.sources.length, rows.sources.length];
  const part = new Uint8Array(across * down);
  rows.sources.forEach((row, y) => {
    const start = row * (box[2] - box[0]);
    columns.sources.forEach(
      (column, x) => (part[y * across + (mirrored ? across - 1 - x : x)] = source[start + column]!),
    );
  });
  const left = mirrored ? to.width - columns.first - across : columns.first;
  return encodeWithin(part, [left, rows.first, left + across, rows.first + down], [to.height, to.width]);
}

/** The places of a resized side whose nearest ones before lie from `low` to before `high`, and those by their distance from `low`. */
function nearestWithin(
  from: number,
  to: number,
  low: number,
  high: number,
): { readonly first: number; readonly sources: readonly number[] } {
  const nearest = (place: number) => Math.floor(((place + 0.5) * from) / to);
  let first = Math.max(0, Math.floor((low * to) / from) - 1);
  while (first < to && nearest(first) < low) first++;
  const sources: number[] = [];
  for (let place = first; place < to && nearest(place) < high; place++) sources.push(nearest(place) - low);
  return { first, sources };
}
