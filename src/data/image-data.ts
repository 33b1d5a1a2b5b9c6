import { createHash } from "node:crypto";
import type { ImageSummary } from "./decoding-task";
import type { ImageData, ImageFiles, ImageSet, PixelSet } from "./image-set";

/**
 * Joins three parts to a data set: measures mean and standard deviation of each channel over `train`, and the checksum over all.
 *
 * These sets are normalized by their own statistics.
 */
export function joinParts(name: string, train: PixelSet, validation: PixelSet, test: PixelSet): ImageData<PixelSet> {
  return {
    name,
    train,
    validation,
    test,
    ...channelStatistics(train.pixels),
    checksum: checksum([train, validation, test]),
  };
}

/**
 * Mean and standard deviation (of the population) of each channel, pixels in 0 to 1. A channel that is the same in every
 * pixel gets 1, so that normalizing makes zeros of it.
 */
export function channelStatistics(pixels: Uint8Array): Pick<ImageData, "mean" | "std"> {
  // Whole numbers, exact: 255^2 times 2^37 pixels still fits a double.
  const sums = [0, 0, 0];
  const squares = [0, 0, 0];
  for (let index = 0; index < pixels.length; index++) {
    const value = pixels[index]!;
    const channel = index % 3;
    sums[channel]! += value;
    squares[channel]! += value * value;
  }
  return statisticsOfSums({ pixels: pixels.length / 3, sums, squares });
}

/** The same of sums over all pixels of 0 to 255 and over their squares, three each. */
export function statisticsOfSums({
  pixels,
  sums,
  squares,
}: Pick<ImageSummary, "pixels" | "sums" | "squares">): Pick<ImageData, "mean" | "std"> {
  const mean = sums.map((sum) => sum / pixels / 255) as [number, number, number];
  const std = squares.map((square, channel) => {
    const deviation = Math.sqrt(Math.max(0, square / pixels / 255 ** 2 - mean[channel]! ** 2));
    // A rounding error of the difference is no variation.
    return deviation > 1e-6 ? deviation : 1;
  }) as [number, number, number];
  return { mean, std };
}

/** SHA-256 over pixels and labels (as 32-bit little-endian) of each set in order. */
function checksum(sets: readonly PixelSet[]): string {
  const hash = createHash("sha256");
  for (const { pixels, labels } of sets) {
    hash.update(pixels);
    const bytes = Buffer.alloc(labels.length * 4);
    labels.forEach((label, index) => bytes.writeInt32LE(label, index * 4));
    hash.update(bytes);
  }
  return hash.digest("hex");
}

/**
 * A part of a set: the images at `indices`, in that order.
 *
 * @param name - name of the part, for example "cifar10/train"
 * @param indices - places in `whole`
 */
export function takeImages<Whole extends ImageSet>(whole: Whole, name: string, indices: readonly number[]): Whole {
  const placeOf = new Map(indices.map((from, to) => [from, to]));
  return {
    ...whole,
    name,
    labels: Int32Array.from(indices, (index) => whole.labels[index]!),
    groups: Int32Array.from(indices, (index) => whole.groups[index]!),
    twins: whole.twins && Int32Array.from(indices, (index) => placeOf.get(whole.twins![index]!) ?? -1),
    ids: indices.map((index) => whole.ids[index]!),
    ...("files" in whole ? { files: takeFiles(whole.files, indices) } : { pixels: takePixels(whole, indices) }),
  };
}

function takeFiles({ root, bytes, modified }: ImageFiles, indices: readonly number[]): ImageFiles {
  return {
    root,
    bytes: Float64Array.from(indices, (index) => bytes[index]!),
    modified: Float64Array.from(indices, (index) => modified[index]!),
  };
}

function takePixels({ size, pixels }: PixelSet, indices: readonly number[]): Uint8Array {
  const length = size * size * 3;
  const taken = new Uint8Array(indices.length * length);
  indices.forEach((from, to) => taken.set(pixels.subarray(from * length, (from + 1) * length), to * length));
  return taken;
}
