/** What is known of labeled images without looking at them. */
interface SetFacts {
  /** Data set and part, for example "emoji/train". */
  readonly name: string;
  /** Side in pixels of the images that networks get. */
  readonly size: number;
  /** Class index of each image; -1 in a set without classes. */
  readonly labels: Int32Array;
  /** Names of the classes; empty where images have none. */
  readonly classes: readonly string[];
  /** Images of one group are variants of each other: they are never split, and intervals resample them together. */
  readonly groups: Int32Array;
  /** Index in this set of the same object drawn by the other artist, -1 for none; undefined where a set has no twins. */
  readonly twins: Int32Array | undefined;
  /** A readable name of each image, for example "1f600/google"; of a file its path within the data set. */
  readonly ids: readonly string[];
}

/** Images of one size, in memory. */
export interface PixelSet extends SetFacts {
  /** [count, size, size, 3], red, green, blue. */
  readonly pixels: Uint8Array;
}

/** Images of any size in files, decoded when they are needed. */
export interface FileSet extends SetFacts {
  readonly files: ImageFiles;
}

/** The files of a {@link FileSet}: as they were when they were listed. One that has changed since is not read. */
export interface ImageFiles {
  /** Folder of the data set; paths within it are the set's `ids`. */
  readonly root: string;
  /** Length of each. */
  readonly bytes: Float64Array;
  /** Time of the last change of each, milliseconds since 1970. */
  readonly modified: Float64Array;
}

/** Labeled images, in memory or in files. */
export type ImageSet = PixelSet | FileSet;

/** A data set in its three parts. Pre-training sees `train` only, choices are made on `validation`, `test` is read once a run. */
export interface ImageData<Part extends ImageSet = ImageSet> {
  readonly name: string;
  readonly train: Part;
  readonly validation: Part;
  readonly test: Part;
  /** What images are normalized by: the mean of each channel, pixels in 0 to 1. Of a set in memory, over `train`. */
  readonly mean: readonly [number, number, number];
  /** The standard deviation of each channel, pixels in 0 to 1. */
  readonly std: readonly [number, number, number];
  /** SHA-256 over the images and labels of all parts; see `loadImageFolder` for sets that are too large to be read for it. */
  readonly checksum: string;
  /** For people: what was passed over when a folder was read, and classes that a part does not have. */
  readonly warnings?: readonly string[];
}
