import { boxCount, type Boxes } from "./boxes";

/**
 * Intersection over union of each of the first boxes with each of the second; 0 where they do not overlap.
 *
 * @returns [first, second], row by row
 */
export function pairwiseIou(first: Boxes, second: Boxes): Float32Array {
  const columns = boxCount(second);
  const result = new Float32Array(boxCount(first) * columns);
  const areas = boxAreas(second);
  boxAreas(first).forEach((area, row) => {
    const [x1, y1, x2, y2] = first.subarray(4 * row, 4 * row + 4) as unknown as [number, number, number, number];
    for (let column = 0; column < columns; column++) {
      const at = 4 * column;
      const width = Math.min(x2, second[at + 2]!) - Math.max(x1, second[at]!);
      const height = Math.min(y2, second[at + 3]!) - Math.max(y1, second[at + 1]!);
      if (width <= 0 || height <= 0) continue;
      const intersection = width * height;
      result[row * columns + column] = intersection / (area + areas[column]! - intersection);
    }
  });
  return result;
}

/** Width times height of each box. */
export function boxAreas(boxes: Boxes): Float64Array {
  return Float64Array.from(
    { length: boxCount(boxes) },
    (_, index) => (boxes[4 * index + 2]! - boxes[4 * index]!) * (boxes[4 * index + 3]! - boxes[4 * index + 1]!),
  );
}
