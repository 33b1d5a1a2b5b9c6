import { boxCount, selectBoxes, type Boxes, type Size } from "../structures/boxes";
import { decodeMask, type Mask } from "../structures/mask-rle";
import { rleOf } from "../structures/polygon-mask";
import { samplingWeights } from "./roi-align";

/**
 * What the masks of regions are trained to be: of its object's bitmap, each region is cut out and resized by RoIAlign, and is
 * 1 from a half on (detectron2's `BitMasks.crop_and_resize`).
 *
 * @param masks - of the objects of one image
 * @param image - its size
 * @param regions - P boxes in its pixels
 * @param groundTruth - which object each region is, [P]
 * @param side - of the masks
 * @returns 1 or 0, [P, side, side]
 */
export function maskTargets(
  masks: readonly Mask[],
  { height, width }: Size,
  regions: Boxes,
  groundTruth: Int32Array,
  side: number,
): Float32Array {
  const targets = new Float32Array(groundTruth.length * side ** 2);
  for (const [index, mask] of masks.entries()) {
    const positions = Int32Array.from(groundTruth.keys()).filter((position) => groundTruth[position] === index);
    if (positions.length === 0) continue;
    const bitmap = decodeMask(rleOf(mask, height, width));
    const boxes = selectBoxes(regions, positions);
    const options = { resolution: side, scale: 1, samplingRatio: 0 };
    const [rows, columns] = [weightedCells(boxes, 1, height, options), weightedCells(boxes, 0, width, options)];
    positions.forEach((position, place) => {
      const bins = { from: place * side, to: (place + 1) * side };
      targets.set(
        sampleBitmap(bitmap, width, rows.slice(bins.from, bins.to), columns.slice(bins.from, bins.to)),
        position * side ** 2,
      );
    });
  }
  return targets;
}

/** The cells that go into one bin, and their weights. */
interface WeightedCells {
  readonly first: number;
  readonly weights: Float32Array;
}

/** Of each bin of each box the cells along one axis whose weights are not 0. */
function weightedCells(
  boxes: Boxes,
  axis: 0 | 1,
  length: number,
  options: Parameters<typeof samplingWeights>[3],
): WeightedCells[] {
  const all = samplingWeights(boxes, axis, length, options);
  return Array.from({ length: boxCount(boxes) * options.resolution }, (_, bin) => {
    const weights = all.subarray(bin * length, (bin + 1) * length);
    let [first, end] = [0, length];
    while (first < end && weights[first] === 0) first++;
    while (end > first && weights[end - 1] === 0) end--;
    return { first, weights: weights.subarray(first, end) };
  });
}

/** Rows first and then columns, summed in single precision as RoIAlign sums; 1 from a half on. */
function sampleBitmap(
  bitmap: Uint8Array,
  width: number,
  rows: readonly WeightedCells[],
  columns: readonly WeightedCells[],
): Float32Array {
  const result = new Float32Array(rows.length * columns.length);
  const line = new Float32Array(width);
  const left = columns.reduce(
    (least, { first, weights }) => (weights.length > 0 ? Math.min(least, first) : least),
    width,
  );
  const right = columns.reduce((most, { first, weights }) => Math.max(most, first + weights.length), 0);
  rows.forEach((row, y) => {
    line.fill(0);
    row.weights.forEach((weight, at) => {
      const start = (row.first + at) * width;
      for (let x = left; x < right; x++) if (bitmap[start + x] === 1) line[x]! += weight;
    });
    columns.forEach(({ first, weights }, x) => {
      let sum = 0;
      for (let at = 0; at < weights.length; at++) sum = Math.fround(sum + weights[at]! * line[first + at]!);
      result[y * columns.length + x] = Number(sum >= 0.5);
    });
  });
  return result;
}
