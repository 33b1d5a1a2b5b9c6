import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { selectAugmentation, type ViewParameters } from "../../src/data/augmentation-parameters";
import { unnormalized, ViewMaker } from "../../src/data/make-view";
import { numbersOf, parametersOf, readFixture, type StoredNumbers, type StoredParameters } from "./augment-fixture";

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

/** The parameters of one image of a fixture. */
function parametersAt(parameters: ReturnType<typeof parametersOf>, image: number): ViewParameters {
  const { tops, lefts, heights, widths, flips, jitter, gray, grayscaleAt, blurSigmas } = selectAugmentation(
    parameters,
    Int32Array.of(image),
  );
  return {
    crop: { top: tops[0]!, left: lefts[0]!, height: heights[0]!, width: widths[0]! },
    flip: flips[0] === 1,
    jitter,
    gray: gray[0] === 1,
    grayscaleAt,
    blurSigma: blurSigmas![0]!,
  };
}

const maker = new ViewMaker();

describe("ViewMaker", () => {
  it.each(["v1", "v2", "smaller"])("agrees with torchvision's float transforms on fixture %s", (name) => {
    const fixture = readFixture(name);
    const { size, outputSize } = fixture;
    const [images, expected] = [numbersOf(fixture.images), numbersOf(fixture.expected)];
    const length = 3 * size * size;
    const view = new Float32Array(3 * outputSize ** 2);
    fixture.parameters.forEach((_, image) => {
      const pixels = Uint8Array.from(images.subarray(image * length, (image + 1) * length));
      maker.open({ height: size, width: size, pixels });
      maker.view(parametersAt(parametersOf(fixture), image), outputSize, unnormalized, view);
      const ofImage = expected.subarray(image * view.length, (image + 1) * view.length);
      expect(largestDifference(view, ofImage)).toBeLessThan(1e-5);
    });
  });

  it.each(aspects.images.map((image) => [`${image.height} x ${image.width}`, image] as const))(
    "agrees with torchvision on an image of %s, for training and for evaluation",
    (_, { height, width, pixels, parameters, view, evaluated }) => {
      const { outputSize, grayscaleAt } = aspects;
      maker.open({ height, width, pixels: Uint8Array.from(numbersOf(pixels)) });
      const made = new Float32Array(3 * outputSize ** 2);
      const all = parametersOf({ size: 0, grayscaleAt, parameters: [parameters] });
      maker.view(parametersAt(all, 0), outputSize, unnormalized, made);
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
});
