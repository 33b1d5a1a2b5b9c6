import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { AugmentationParameters } from "../../src/data/augmentation-parameters";
import { tf } from "../../src/engine/tf";

/** Numbers as test/golden/augment.py stores them. */
export interface StoredNumbers {
  readonly dtype: string;
  readonly base64: string;
}

/** Parameters of each image. */
export interface StoredParameters {
  readonly size: number;
  readonly grayscaleAt: AugmentationParameters["grayscaleAt"];
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

/** The images as floats in 0..1. */
export function imagesOf({ images, size }: { readonly images: StoredNumbers; readonly size: number }): tf.Tensor4D {
  const values = numbersOf(images).map((value) => value / 255);
  return tf.tensor4d(values, [values.length / (size * size * 3), size, size, 3]);
}

export function parametersOf({ size, grayscaleAt, parameters }: StoredParameters): AugmentationParameters {
  return {
    size,
    tops: Int32Array.from(parameters, ({ top }) => top),
    lefts: Int32Array.from(parameters, ({ left }) => left),
    heights: Int32Array.from(parameters, ({ height }) => height),
    widths: Int32Array.from(parameters, ({ width }) => width),
    flips: Uint8Array.from(parameters, ({ flip }) => flip),
    jitter: {
      order: Uint8Array.from(parameters.flatMap(({ order }) => order)),
      amounts: Float32Array.from(parameters.flatMap(({ amounts }) => amounts)),
    },
    gray: Uint8Array.from(parameters, ({ gray }) => gray),
    grayscaleAt,
    blurSigmas: Float32Array.from(parameters, ({ blurSigma }) => blurSigma),
  };
}
