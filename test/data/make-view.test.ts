import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { drawView, type ViewParameters } from "../../src/data/augmentation-parameters";
import { type AugmentationPolicy, mocoV1, mocoV2 } from "../../src/data/augmentation-policy";
import { unnormalized, ViewMaker } from "../../src/data/make-view";
import { randomStream } from "../../src/engine/random";
import {
  type Fixture,
  imagesOf,
  numbersOf,
  parametersOf,
  readFixture,
  type StoredNumbers,
  type StoredParameters,
} from "./augment-fixture";

/** Images of any aspect, and what torchvision makes of them (test/golden/augment.py). */
interface AspectFixture {
  readonly outputSize: number;
  readonly grayscaleAt: StoredParameters["grayscaleAt"];
  readonly images: readonly {
    readonly height: number;
    readonly width: number;
    readonly pixels: StoredNumbers;
    readonly parameters: StoredParameters["parameters"][number];
    readonly view: StoredNumbers;
    readonly evaluated: StoredNumbers;
  }[];
}

const aspects = JSON.parse(readFileSync(join(__dirname, "fixtures", "augment-aspects.json"), "utf8")) as AspectFixture;

function largestDifference(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((most, value, at) => Math.max(most, Math.abs(value - b[at]!)), 0);
}

const maker = new ViewMaker();

/** How far the views of a fixture's images are from torchvision's. */
function farthest(fixture: Fixture, parameters: readonly ViewParameters[]): number {
  const { outputSize } = fixture;
  const expected = numbersOf(fixture.expected);
  const view = new Float32Array(3 * outputSize ** 2);
  const differences = imagesOf(fixture).map((image, at) => {
    maker.open(image);
    maker.view(parameters[at]!, outputSize, unnormalized, view);
    return largestDifference(view, expected.subarray(at * view.length, (at + 1) * view.length));
  });
  return Math.max(...differences);
}

const side = 8;
/** Leaves an image of `side` pixels as it is. */
const unchanged: ViewParameters = {
  crop: { top: 0, left: 0, height: side, width: side },
  flip: false,
  jitter: { order: Uint8Array.of(0, 1, 2, 3), amounts: Float32Array.of(1, 1, 1, 0) },
  gray: false,
  grayscaleAt: "after jitter",
  blurSigma: 0,
};
const colors = randomStream(0, "test", "colors");
const randomImage = {
  height: side,
  width: side,
  pixels: Uint8Array.from({ length: 3 * side * side }, () => colors.integer(256)),
};

function viewOf(parameters: ViewParameters): Float32Array {
  const view = new Float32Array(3 * side * side);
  maker.open(randomImage);
  maker.view(parameters, side, unnormalized, view);
  return view;
}

describe("ViewMaker", () => {
  it.each(["v1", "v2", "smaller"])("agrees with torchvision's float transforms on fixture %s", (name) => {
    const fixture = readFixture(name);
    expect(farthest(fixture, parametersOf(fixture))).toBeLessThan(1e-5);
  });

  it.each(["v1", "v2"])("disagrees with torchvision on fixture %s when gray and jitter change places", (name) => {
    const fixture = readFixture(name);
    const swapped = fixture.grayscaleAt === "before jitter" ? "after jitter" : "before jitter";
    expect(farthest(fixture, parametersOf({ ...fixture, grayscaleAt: swapped }))).toBeGreaterThan(0.01);
  });

  it.each(aspects.images.map((image) => [`${image.height} x ${image.width}`, image] as const))(
    "agrees with torchvision on an image of %s, for training and for evaluation",
    (_, { height, width, pixels, parameters, view, evaluated }) => {
      const { outputSize, grayscaleAt } = aspects;
      maker.open({ height, width, pixels: Uint8Array.from(numbersOf(pixels)) });
      const made = new Float32Array(3 * outputSize ** 2);
      const [own] = parametersOf({ grayscaleAt, parameters: [parameters] });
      maker.view(own!, outputSize, unnormalized, made);
      expect(largestDifference(made, numbersOf(view))).toBeLessThan(1e-5);
      maker.evaluationView(outputSize, unnormalized, made);
      expect(largestDifference(made, numbersOf(evaluated))).toBeLessThan(1e-5);
    },
  );

  it("normalizes each channel by its mean and standard deviation", () => {
    maker.open({ height: 1, width: 1, pixels: Uint8Array.of(255, 102, 0) });
    const made = new Float32Array(3);
    maker.evaluationView(1, { mean: [0.5, 0.4, 0.2], std: [0.25, 0.5, 0.1] }, made);
    expect(largestDifference(made, Float32Array.of(2, 0, -2))).toBeLessThan(1e-6);
  });

  it("takes an image that has the size already as it is for evaluation", () => {
    const pixels = Uint8Array.from({ length: 48 }, (_, at) => 5 * at);
    maker.open({ height: 4, width: 4, pixels });
    const made = new Float32Array(48);
    maker.evaluationView(4, unnormalized, made);
    expect([...made.map((value) => Math.round(255 * value))]).toEqual([...pixels]);
  });

  it("gives an image back when there is nothing to do", () => {
    expect([...viewOf(unchanged)].map((value) => 255 * value)).toEqual(
      [...randomImage.pixels].map((value) => expect.closeTo(value, 4) as number),
    );
  });

  it("mirrors left to right where asked to", () => {
    const mirrored = viewOf({ ...unchanged, flip: true });
    const pixel = (view: Float32Array, row: number, column: number) => [
      ...view.subarray(3 * (row * side + column), 3 * (row * side + column) + 3),
    ];
    for (let row = 0; row < side; row++) {
      for (let column = 0; column < side; column++) {
        expect(pixel(mirrored, row, column)).toEqual(pixel(viewOf(unchanged), row, side - 1 - column));
      }
    }
  });

  it("turns an image gray before the jitter in v1, and after it in v2", () => {
    // Gray has no hue to turn: before the jitter this leaves the plain gray image, after it the gray of other colors.
    const jitter = { order: Uint8Array.of(3, 0, 1, 2), amounts: Float32Array.of(1, 1, 1, 0.4) };
    const plain = viewOf({ ...unchanged, gray: true });
    const view = ({ grayscale }: AugmentationPolicy) =>
      viewOf({ ...unchanged, gray: true, jitter, grayscaleAt: grayscale.at });
    expect(largestDifference(view(mocoV1), plain)).toBeLessThan(1e-6);
    expect(largestDifference(view(mocoV2), plain)).toBeGreaterThan(0.05);
  });

  it("keeps values in 0 to 1, to rounding", () => {
    const random = randomStream(3, "augment");
    for (let drawn = 0; drawn < 100; drawn++) {
      const view = viewOf(drawView(mocoV2, randomImage, random));
      expect(Math.min(...view)).toBeGreaterThan(-1e-6);
      expect(Math.max(...view)).toBeLessThan(1 + 1e-6);
    }
  });
});
