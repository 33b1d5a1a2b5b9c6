import { describe, expect, it } from "vitest";
import { InputError } from "../../src/errors";
import { randomStream } from "../../src/engine/random";
import {
  drawImages,
  pairedTwoLevelBootstrap,
  twoLevelBootstrap,
  type ResampledMetric,
} from "../../src/statistics/two-level-bootstrap";

const draws = drawImages(200, 1000, 1);

/** The mean of a score over images, as a figure. */
function meanFigure(scores: Float64Array): ResampledMetric {
  const sum = (counts: ArrayLike<number>) => scores.reduce((total, score, at) => total + score * counts[at]!, 0);
  return {
    value: sum(new Float64Array(200).fill(1)) / 200,
    drawn: Float64Array.from(draws, (counts) => sum(counts) / 200),
  };
}

/** Runs of some seeds: a common difficulty of each image, an offset of each seed, and noise. */
function runs(offsets: readonly number[], noise: number, shift = 0): ResampledMetric[] {
  const difficulty = randomStream(7, "difficulty");
  const common = Float64Array.from({ length: 200 }, () => difficulty.normal());
  return offsets.map((offset, seed) => {
    const random = randomStream(seed, "noise", shift);
    return meanFigure(common.map((value) => value + offset + shift + noise * random.normal()));
  });
}

describe("drawImages", () => {
  it("draws as many images as there are, with replacement, the same ones for a seed", () => {
    for (const counts of draws) expect(counts.reduce((sum, count) => sum + count, 0)).toBe(200);
    // An image is left out of a draw with probability (1 - 1/200)^200.
    const leftOut = draws.map((counts) => counts.filter((count) => count === 0).length / 200);
    expect(leftOut.reduce((sum, share) => sum + share, 0) / draws.length).toBeCloseTo((1 - 1 / 200) ** 200, 2);
    expect(drawImages(200, 1000, 1)).toEqual(draws);
    expect(drawImages(200, 1, 2)[0]).not.toEqual(draws[0]);
  });
});

describe("twoLevelBootstrap", () => {
  it("has the width of the images' choice alone where all seeds are equal", () => {
    const { low, high, mean } = twoLevelBootstrap(runs([0, 0, 0], 0), 1);
    // Standard error of a mean of 200 scores of deviation 1.
    expect((high - low) / 2).toBeCloseTo(1.96 / Math.sqrt(200), 1);
    expect(low).toBeLessThan(mean);
    expect(high).toBeGreaterThan(mean);
  });

  it("is wider where seeds differ", () => {
    const width = (offsets: readonly number[]) => {
      const { low, high } = twoLevelBootstrap(runs(offsets, 0), 1);
      return high - low;
    };
    expect(width([-0.5, 0, 0.5])).toBeGreaterThan(2 * width([0, 0, 0]));
  });

  it("refuses no runs, and runs of other draws", () => {
    expect(() => twoLevelBootstrap([], 1)).toThrow(InputError);
    const [one, two] = runs([0, 0], 0);
    expect(() => twoLevelBootstrap([one!, { ...two!, drawn: new Float64Array(3) }], 1)).toThrow("1000, 3");
  });
});

describe("pairedTwoLevelBootstrap", () => {
  it("leaves out what both have in common, so that a small difference is found", () => {
    const [a, b] = [runs([-0.3, 0, 0.3], 0.1, 0.05), runs([-0.3, 0, 0.3], 0.1)];
    const difference = pairedTwoLevelBootstrap(a, b, 1);
    expect(difference.mean).toBeCloseTo(0.05, 1);
    expect(difference.low).toBeGreaterThan(0);
    const [of, other] = [twoLevelBootstrap(a, 1), twoLevelBootstrap(b, 1)];
    expect(of.low).toBeLessThan(other.high);
  });

  it("covers zero about as often as it says where there is no difference", () => {
    const seeds = Array.from({ length: 25 }, (_, trial) => trial);
    const covered = seeds.filter((trial) => {
      const [a, b] = [runs([0, 0, 0, 0, 0, 0], 0.3, 1e-9 * trial), runs([0, 0, 0, 0, 0, 0], 0.3, 1e-9 * trial + 1e-10)];
      const { low, high } = pairedTwoLevelBootstrap(a, b, trial);
      return low <= 0 && high >= 0;
    }).length;
    expect(covered).toBeGreaterThanOrEqual(20);
  });

  it("refuses other numbers of seeds", () => {
    expect(() => pairedTwoLevelBootstrap(runs([0], 0), runs([0, 0], 0), 1)).toThrow("1 and 2");
  });
});
