/**
 * Boxes as the detector computes with them: x1, y1, x2, y2 of one after the other, in continuous pixels (a box over the
 * whole image is 0, 0, width, height). 4 numbers a box.
 */
export type Boxes = Float32Array;

/** Height and width of an image or a feature map. */
export interface Size {
  readonly height: number;
  readonly width: number;
}

export function boxCount(boxes: Boxes): number {
  return boxes.length / 4;
}

/** The boxes at these positions, in this order. */
export function selectBoxes(boxes: Boxes, indices: ArrayLike<number>): Boxes {
  const selected = new Float32Array(4 * indices.length);
  for (let position = 0; position < indices.length; position++) {
    const index = indices[position]!;
    selected.set(boxes.subarray(4 * index, 4 * index + 4), 4 * position);
  }
  return selected;
}

/** One list after the other, of boxes or of numbers that go with them. */
export function joinArrays(arrays: readonly Float32Array[]): Float32Array {
  const joined = new Float32Array(arrays.reduce((total, { length }) => total + length, 0));
  let offset = 0;
  for (const array of arrays) {
    joined.set(array, offset);
    offset += array.length;
  }
  return joined;
}

/** What of each box lies in the image. A box outside becomes one without area on its border. */
export function clipBoxes(boxes: Boxes, { height, width }: Size): Boxes {
  return boxes.map((value, position) => Math.min(Math.max(value, 0), position % 2 === 0 ? width : height));
}

/** Positions of the boxes that are wider and higher than 0. */
export function nonEmptyBoxes(boxes: Boxes): Int32Array {
  const indices: number[] = [];
  for (let at = 0; at < boxes.length; at += 4) {
    if (boxes[at + 2]! > boxes[at]! && boxes[at + 3]! > boxes[at + 1]!) indices.push(at / 4);
  }
  return Int32Array.from(indices);
}
