import { describe, expect, it } from "vitest";
import { unnormalized, ViewMaker } from "../../src/data/make-view";
import { imagesOf, numbersOf, parametersOf, readFixture, type PillowFixture } from "./augment-fixture";

const fixture = readFixture("pillow");
const maker = new ViewMaker();
type Step = PillowFixture["steps"][number];

/** Pillow's image minus ours, of 255: Pillow computes in whole numbers, as the paper's code did. */
function differenceOf({ expected, parameters, grayscaleAt }: Step) {
  const { outputSize } = fixture;
  const length = 3 * outputSize ** 2;
  const images = imagesOf(fixture);
  const values = new Float32Array(images.length * length);
  const each = parametersOf({ parameters, grayscaleAt });
  images.forEach((image, at) => {
    maker.open(image);
    maker.view(each[at]!, outputSize, unnormalized, values.subarray(at * length, (at + 1) * length));
  });
  const differences = numbersOf(expected).map((pillow, at) => pillow - 255 * values[at]!);
  const mean = (numbers: Float32Array) => numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
  return {
    meanAbsolute: mean(differences.map(Math.abs)),
    largest: differences.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0),
    channelBias: [0, 1, 2].map((channel) => mean(differences.filter((_, at) => at % 3 === channel))),
  };
}

describe("beside Pillow, which the paper's code used", () => {
  it.each(fixture.steps.map((step) => [step.name, step] as const))("is as far as REPRODUCE.md says: %s", (_, step) => {
    const found = differenceOf(step);
    // Of 255; the fixture has it from torchvision's float transforms.
    expect(Math.abs(found.meanAbsolute - step.meanAbsolute)).toBeLessThan(0.005);
    expect(Math.abs(found.largest - step.largest)).toBeLessThan(0.05);
    found.channelBias.forEach((bias, channel) =>
      expect(Math.abs(bias - step.channelBias[channel]!)).toBeLessThan(0.005),
    );
  });

  it.each(fixture.steps.filter(({ name }) => !name.startsWith("all")).map((step) => [step.name, step] as const))(
    "shifts no channel's mean by more than half a level in one step: %s",
    (_, step) => {
      for (const bias of differenceOf(step).channelBias) expect(Math.abs(bias)).toBeLessThan(0.5);
    },
  );

  it("is brighter by 1 to 1.5 levels after all steps: Pillow cuts the fractions off in each of its three blends", () => {
    for (const step of fixture.steps.filter(({ name }) => name.startsWith("all"))) {
      for (const bias of differenceOf(step).channelBias) {
        expect(bias).toBeLessThan(-1);
        expect(bias).toBeGreaterThan(-1.5);
      }
    }
  });
});
