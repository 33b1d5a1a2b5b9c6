import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ViewParameters } from "../../src/data/augmentation-parameters";
import type { DecodedImage } from "../../src/data/make-view";

/** Numbers as test/golden/augment.py stores them. */
export interface StoredNumbers {
  readonly dtype: string;
  readonly base64: string;
}

/** Parameters of each image. */
export interface StoredParameters {
  readonly size: number;
  readonly grayscaleAt: ViewParameters["grayscaleAt"];
  readonly parameters: readonly {
    readonly top: number;
    readonly left: number;
    readonly height: number;
    readonly width: number;
    readonly flip: number;
    readonly order: readonly number[];
    readonly amounts: readonly number[];
    readonly gray: number;
    readonly blurSigma: number;
  }[];
}

/** Images, parameters, and what torchvision makes of them. */
export interface Fixture extends StoredParameters {
  readonly outputSize: number;
  readonly images: StoredNumbers;
  readonly expected: StoredNumbers;
}

/** Images, and what each step makes of them as Pillow images. Differences are Pillow minus torchvision's floats, of 255. */
export interface PillowFixture {
  readonly size: number;
  readonly outputSize: number;
  readonly images: StoredNumbers;
  readonly steps: readonly (Omit<StoredParameters, "size"> & {
    readonly name: string;
    readonly expected: StoredNumbers;
    readonly meanAbsolute: number;
    readonly largest: number;
    readonly channelBias: readonly number[];
  })[];
}

export function readFixture(name: "pillow"): PillowFixture;
export function readFixture(name: string): Fixture;
export function readFixture(name: string): unknown {
  return JSON.parse(readFileSync(join(__dirname, "fixtures", `augment-${name}.json`), "utf8")) as unknown;
}

export function numbersOf({ dtype, base64 }: StoredNumbers): Float32Array {
  const bytes = Buffer.from(base64, "base64");
  return dtype === "<u1"
    ? Float32Array.from(bytes)
    : Float32Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readFloatLE(4 * at));
}

/** The images as 8-bit pixels, one after the other. */
export function imagesOf({ images, size }: { readonly images: StoredNumbers; readonly size: number }): DecodedImage[] {
  const pixels = Uint8Array.from(numbersOf(images));
  const length = 3 * size * size;
  return Array.from({ length: pixels.length / length }, (_, image) => ({
    height: size,
    width: size,
    pixels: pixels.subarray(image * length, (image + 1) * length),
  }));
}

export function parametersOf({ grayscaleAt, parameters }: Omit<StoredParameters, "size">): ViewParameters[] {
  return parameters.map(({ top, left, height, width, flip, order, amounts, gray, blurSigma }) => ({
    crop: { top, left, height, width },
    flip: flip === 1,
    jitter: { order: Uint8Array.from(order), amounts: Float32Array.from(amounts) },
    gray: gray === 1,
    grayscaleAt,
    blurSigma: Math.fround(blurSigma),
  }));
}
