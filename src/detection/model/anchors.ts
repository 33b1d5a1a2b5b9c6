import type { Boxes, Size } from "../structures/boxes";

/** A feature map that anchors stand on. */
export interface AnchorLevel {
  /** Of the feature map. */
  readonly size: Size;
  /** Pixels of the image between neighbors of the map: 16 for C4. */
  readonly stride: number;
  /** Sides of the square anchors in pixels: all five on the one level of C4, one a level with FPN. */
  readonly anchorSizes: readonly number[];
}

/**
 * The anchors of one level (Faster R-CNN, section 3.1.1), centered on multiples of the stride as detectron2 centers them
 * (offset 0). Anchors may reach over the border of the image.
 *
 * @param aspectRatios - height / width
 * @returns row by row of the map, from left to right, at each place by size and then by aspect ratio: the order of an RPN
 *   head's output [height, width, anchors]
 */
export function levelAnchors({ size, stride, anchorSizes }: AnchorLevel, aspectRatios: readonly number[]): Boxes {
  const cell = cellAnchors(anchorSizes, aspectRatios);
  const anchors = new Float32Array(size.height * size.width * cell.length);
  let at = 0;
  for (let row = 0; row < size.height; row++) {
    for (let column = 0; column < size.width; column++) {
      for (let index = 0; index < cell.length; index++) {
        anchors[at++] = cell[index]! + stride * (index % 2 === 0 ? column : row);
      }
    }
  }
  return anchors;
}

/** The anchors around the origin. All of one size have the same area. */
export function cellAnchors(sizes: readonly number[], aspectRatios: readonly number[]): Boxes {
  const corners = sizes.flatMap((size) =>
    aspectRatios.flatMap((ratio) => {
      const width = Math.sqrt(size ** 2 / ratio);
      const height = ratio * width;
      return [-width / 2, -height / 2, width / 2, height / 2];
    }),
  );
  return Float32Array.from(corners);
}
