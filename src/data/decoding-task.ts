import type { MessagePort } from "node:worker_threads";
import type { AugmentationPolicy } from "./augmentation-policy";
import type { Normalization } from "./make-view";

/** A random view, as the recipe or a method asks for it. */
export interface ViewSpec {
  readonly policy: AugmentationPolicy;
  /** Side in pixels. */
  readonly size: number;
}

/** What decoding threads make of images. */
export type Making =
  | {
      readonly kind: "views";
      readonly views: readonly ViewSpec[];
      readonly seed: number;
      readonly step: number;
      readonly normalization: Normalization;
    }
  /** What evaluation sees, 0 to 1. */
  | { readonly kind: "evaluation"; readonly size: number }
  /** A {@link ImageSummary}. */
  | { readonly kind: "summary" };

/** What is remembered of an image: its digest and what the statistics of a set are made of. */
export interface ImageSummary {
  /** SHA-256 over the sides and pixels, hexadecimal. */
  readonly digest: string;
  readonly pixels: number;
  /** Of each channel, over the pixels of 0 to 255: whole numbers. */
  readonly sums: readonly number[];
  readonly squares: readonly number[];
}

const summaryNumbers = 7;
/** The digest, and seven doubles. */
const summaryBytes = 32 + 8 * summaryNumbers;

/** Writes a summary where the results of a task have it. */
export function writeSummary(
  { digest, pixels, sums, squares }: ImageSummary,
  results: SharedArrayBuffer,
  place: number,
): void {
  const start = place * summaryBytes;
  new Float64Array(results, start, summaryNumbers).set([pixels, ...sums, ...squares]);
  new Uint8Array(results, start + 8 * summaryNumbers, 32).set(Buffer.from(digest, "hex"));
}

export function readSummary(results: SharedArrayBuffer, place: number): ImageSummary {
  const start = place * summaryBytes;
  const [pixels, ...others] = new Float64Array(results, start, summaryNumbers);
  const digest = Buffer.from(results, start + 8 * summaryNumbers, 32).toString("hex");
  return { digest, pixels: pixels!, sums: others.slice(0, 3), squares: others.slice(3) };
}

/** One image of a task. */
export interface ImageOfTask {
  /** Place in the batch. */
  readonly place: number;
  readonly path: string;
  /** As the file was when it was listed. */
  readonly bytes: number;
  readonly modified: number;
}

/** A thread's share of a task. */
export interface ShareOfTask {
  readonly task: number;
  readonly images: readonly ImageOfTask[];
  /** In the whole task. */
  readonly count: number;
  readonly making: Making;
  /** Whether decoded images are kept for the next time, as far as there is room. */
  readonly keep: boolean;
  /** Where results are written, laid out by {@link resultOffsets}. */
  readonly results: SharedArrayBuffer;
  /** Two counters: threads that have finished, images that are done. */
  readonly progress: SharedArrayBuffer;
}

/** An image that cannot be read, and why. */
export interface DecodingFailure {
  readonly path: string;
  readonly message: string;
}

/** What a thread sends if some images of its share cannot be read; all others are done. */
export interface FailedShare {
  readonly task: number;
  readonly failures: readonly DecodingFailure[];
}

/** What a thread is started with. */
export interface ThreadStart {
  /** Its failures are sent here: a port can be read while the main thread waits. */
  readonly failures: MessagePort;
  /** Bytes of decoded images that it may keep. */
  readonly keptBytes: number;
}

/**
 * Bytes at which the results of each kind begin, and at last where they end. Views lie one after the other, each of all images:
 * [count, size, size, 3] floats.
 */
export function resultOffsets(making: Making, count: number): readonly number[] {
  const sizes =
    making.kind === "views" ? making.views.map(({ size }) => size) : making.kind === "evaluation" ? [making.size] : [];
  if (making.kind === "summary") return [0, summaryBytes * count];
  return sizes.reduce<number[]>((offsets, size) => [...offsets, offsets.at(-1)! + 4 * 3 * size * size * count], [0]);
}
