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

/** A mask as annotation files have it. {@link rleOf} makes either form an {@link Rle}. */
export type Mask = Polygons | Rle;
