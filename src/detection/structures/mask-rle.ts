import { InputError } from "../../errors";
import type { Box } from "./detection-set";

/**
 * A binary mask in COCO's run-length encoding: pixels are taken column by column, and `counts` are the lengths of runs of 0
 * and 1 in turn, the first of 0 (it may be empty).
 */
export interface Rle {
  /** Height and width in pixels. */
  readonly size: readonly [height: number, width: number];
  readonly counts: Uint32Array;
}

/** Outlines, each [x0, y0, x1, y1, ...] in pixels; the mask is what lies in any of them. */
export type Polygons = readonly (readonly number[])[];

/** A mask as annotation files have it. `rleOf` makes either form an {@link Rle}. */
export type Mask = Polygons | Rle;

/**
 * Encodes a mask.
 *
 * @param mask - [height, width], row by row; every value but 0 is 1
 */
export function encodeMask(mask: ArrayLike<number>, height: number, width: number): Rle {
  if (mask.length !== height * width) {
    throw new InputError(
      `Cannot encode the mask: it must have ${height} x ${width} values, current count is ${mask.length}`,
    );
  }
  return encodeWithin(mask, [0, 0, width, height], [height, width]);
}

/**
 * Encodes a mask that is 0 outside of a part of its image. Takes as long as the part is large.
 *
 * @param part - values within `window`, row by row; every value but 0 is 1
 * @param window - whole pixels, in the image
 * @param size - of the image
 */
export function encodeWithin(
  part: ArrayLike<number>,
  [left, top, right, bottom]: Box,
  [height, width]: Rle["size"],
): Rle {
  const counts: number[] = [];
  let value = false;
  let changed = 0;
  let end = 0;
  const changeAt = (place: number) => {
    counts.push(place - changed);
    changed = place;
    value = !value;
  };
  for (let x = left; x < right; x++) {
    // A run of ones ends where the window does, unless it goes on at the top of the next column.
    if (value && x * height + top > end) changeAt(end);
    for (let y = top; y < bottom; y++) {
      const one = part[(y - top) * (right - left) + x - left] !== 0;
      if (one !== value) changeAt(x * height + y);
    }
    end = x * height + bottom;
  }
  if (value && end < height * width) changeAt(end);
  counts.push(height * width - changed);
  return { size: [height, width], counts: Uint32Array.from(counts) };
}

/** The mask as [height, width] values of 0 and 1, row by row. */
export function decodeMask(rle: Rle): Uint8Array {
  const [height, width] = rle.size;
  return decodeWithin(rle, [0, 0, width, height]);
}

/** A part of a mask that holds all of its ones, as values of 0 and 1, row by row; the part is in whole pixels. */
export function decodeWithin(rle: Rle, [left, top, right, bottom]: Box): Uint8Array {
  const height = rle.size[0];
  const width = right - left;
  const part = new Uint8Array((bottom - top) * width);
  forRunsOfOnes(rle, (start, end) => {
    for (let at = start; at < end; at++) part[((at % height) - top) * width + Math.floor(at / height) - left] = 1;
  });
  return part;
}

/** Number of pixels in a mask. */
export function maskArea({ counts }: Rle): number {
  let area = 0;
  for (let at = 1; at < counts.length; at += 2) area += counts[at]!;
  return area;
}

/** The smallest box around a mask, [0, 0, 0, 0] around an empty one. */
export function maskBox(rle: Rle): Box {
  const height = rle.size[0];
  let [left, top, right, bottom] = [Infinity, Infinity, 0, 0];
  forRunsOfOnes(rle, (start, end) => {
    const first = Math.floor(start / height);
    const last = Math.floor((end - 1) / height);
    left = Math.min(left, first);
    right = Math.max(right, last + 1);
    // A run that goes on into the next column touches both edges.
    top = last > first ? 0 : Math.min(top, start % height);
    bottom = last > first ? height : Math.max(bottom, ((end - 1) % height) + 1);
  });
  return right === 0 ? [0, 0, 0, 0] : [left, top, right, bottom];
}

/** The pixels that are in any of some masks of one size. */
export function uniteMasks(masks: readonly [Rle, ...Rle[]]): Rle {
  return masks.reduce(unionOfTwo);
}

/** Number of pixels that two masks of one size share. */
export function sharedPixels(first: Rle, second: Rle): number {
  const a = first.counts;
  const b = second.counts;
  let shared = 0;
  // [aStart, aEnd) and [bStart, bEnd) are the runs of ones looked at.
  let [aAt, aStart, aEnd] = [1, a[0] ?? 0, (a[0] ?? 0) + (a[1] ?? 0)];
  let [bAt, bStart, bEnd] = [1, b[0] ?? 0, (b[0] ?? 0) + (b[1] ?? 0)];
  while (aAt < a.length && bAt < b.length) {
    const overlap = Math.min(aEnd, bEnd) - Math.max(aStart, bStart);
    if (overlap > 0) shared += overlap;
    if (aEnd <= bEnd) {
      aStart = aEnd + (a[aAt + 1] ?? 0);
      aEnd = aStart + (a[aAt + 2] ?? 0);
      aAt += 2;
    } else {
      bStart = bEnd + (b[bAt + 1] ?? 0);
      bEnd = bStart + (b[bAt + 2] ?? 0);
      bAt += 2;
    }
  }
  return shared;
}

function forRunsOfOnes({ counts }: Rle, visit: (start: number, end: number) => void): void {
  let at = 0;
  counts.forEach((count, index) => {
    if (index % 2 === 1 && count > 0) visit(at, at + count);
    at += count;
  });
}

function unionOfTwo(first: Rle, second: Rle): Rle {
  if (first.size[0] !== second.size[0] || first.size[1] !== second.size[1]) {
    throw new InputError(
      `Cannot unite masks: they must be of one size, current are ${first.size.join(" x ")} and ${second.size.join(" x ")}`,
    );
  }
  const runs = [...runsOfOnes(first), ...runsOfOnes(second)].sort((one, other) => one[0] - other[0]);
  const counts: number[] = [];
  let end = 0;
  for (const [start, stop] of runs) {
    if (start > end || counts.length === 0) {
      counts.push(start - end, stop - start);
    } else if (stop > end) {
      counts[counts.length - 1]! += stop - end;
    }
    end = Math.max(end, stop);
  }
  const total = first.size[0] * first.size[1];
  if (end < total || counts.length === 0) counts.push(total - end);
  return { size: first.size, counts: Uint32Array.from(counts) };
}

function runsOfOnes(rle: Rle): [number, number][] {
  const runs: [number, number][] = [];
  forRunsOfOnes(rle, (start, end) => runs.push([start, end]));
  return runs;
}
