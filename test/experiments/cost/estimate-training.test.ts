import { describe, expect, it } from "vitest";
import { costOf, valueAt } from "../../../src/experiments/cost/estimate-training";
import type { MeasuredStep } from "../../../src/experiments/cost/measure-step";
import { trainingsNamed } from "../../../src/experiments/cost/planned-training";

const step = (batchSize: number, secondsAStep: number, peakBytes: number): MeasuredStep => ({
  batchSize,
  secondsAStep,
  peakBytes,
  cores: 2,
  timedSteps: 5,
  loss: 1,
  startBytes: 3e8,
  heldBytes: 1,
});

describe("valueAt", () => {
  it("is exact on a line", () => {
    const points = [
      [8, 3 + 2 * 8],
      [16, 3 + 2 * 16],
    ] as const;
    expect([8, 16, 256].map((x) => valueAt(x, points))).toEqual([19, 35, 515]);
  });

  it("refuses a line that does not rise", () => {
    expect(() => valueAt(4, [[1, 2], [2, 2]])).toThrow("current values are 2 at 1 and 2 at 2"); // prettier-ignore
  });
});

describe("costOf", () => {
  const [mocoV1, simclr] = trainingsNamed(["moco-v1-imagenet", "simclr-imagenet-4096"]);

  it("goes from two batches to the recipe's, and from a step to all iterations", () => {
    const cost = costOf(mocoV1!, [step(8, 1 + 8 / 4, 1e9 + 8e8), step(16, 1 + 16 / 4, 1e9 + 16e8)]);
    expect(cost).toMatchObject({
      extrapolated: true,
      secondsAStep: 65,
      seconds: 65 * 1_000_800,
      peakBytes: 1e9 + 256e8,
    });
  });

  it("takes what one batch needs beyond the start in proportion", () => {
    const cost = costOf(mocoV1!, [step(8, 2, 3e8 + 8e8)]);
    expect(cost).toMatchObject({ extrapolated: true, secondsAStep: 64, peakBytes: 3e8 + 256e8 });
  });

  it("takes what there was at the start where one batch needs no more", () => {
    const cost = costOf(mocoV1!, [step(8, 2, 3e8)]);
    expect(cost).toMatchObject({ extrapolated: true, secondsAStep: 64, peakBytes: 3e8 });
  });

  it("takes the recipe's own batch as it was measured", () => {
    const cost = costOf(mocoV1!, [step(256, 0.25, 5e10)]);
    expect(cost).toMatchObject({ extrapolated: false, secondsAStep: 0.25, seconds: 250_200, peakBytes: 5e10 });
  });

  it("lets memory follow the chunk of the gradient cache, and time the batch", () => {
    const cost = costOf(simclr!, [step(8, 8, 8e8), step(16, 16, 16e8)]);
    expect(cost).toMatchObject({ secondsAStep: 4096, seconds: 4096 * 31_200, peakBytes: 256e8 });
  });
});
