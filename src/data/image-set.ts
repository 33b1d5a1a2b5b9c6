/** Labeled images of one size, in memory. */
export interface ImageSet {
  /** Data set and part, for example "emoji/train". */
  readonly name: string;
  /** Side of an image in pixels. */
  readonly size: number;
  /** [count, size, size, 3], red, green, blue. */
  readonly pixels: Uint8Array;
  /** Class index of each image; -1 in a set without classes. */
  readonly labels: Int32Array;
  /** Names of the classes; empty where images have none. */
  readonly classes: readonly string[];
  /** Images of one group are variants of each other: they are never split, and intervals resample them together. */
  readonly groups: Int32Array;
  /** Index in this set of the same object drawn by the other hand, -1 for none; undefined where a set has no twins. */
  readonly twins: Int32Array | undefined;
  /** A readable name of each image, for example "1f600/google". */
  readonly ids: readonly string[];
}

/** A data set in its three parts. Pre-training sees `train` only, choices are made on `validation`, `test` is read once a run. */
export interface ImageData {
  readonly name: string;
  readonly train: ImageSet;
  readonly validation: ImageSet;
  readonly test: ImageSet;
  /** Mean of each channel over `train`, pixels in 0 to 1. */
  readonly mean: readonly [number, number, number];
  /** Standard deviation of each channel over `train`, pixels in 0 to 1. */
  readonly std: readonly [number, number, number];
  /** SHA-256 over pixels and labels of all parts. */
  readonly checksum: string;
}
