import { describe, expect, it } from "vitest";
import { randomStream } from "../../src/engine/random";
import { groupBootstrap, pairedGroupBootstrap, seedInterval } from "../../src/statistics/intervals";

/** Groups of 3 images that are mostly right and wrong together; the expected share is 0.6. */
function correlated(trial: number, groupCount: number) {
  const random = randomStream(trial, "correlated");
  const groups = Array.from({ length: 3 * groupCount }, (_, image) => Math.floor(image / 3));
  const shared = Array.from({ length: groupCount }, () => (random.uniform() < 0.6 ? 1 : 0));
  const correct = groups.map((group) => (random.uniform() < 0.8 ? shared[group]! : random.uniform() < 0.6 ? 1 : 0));
  return { correct, groups };
}

function covered(trials: number, expected: number, intervalOf: (trial: number) => { low: number; high: number }) {
  let hits = 0;
  for (let trial = 0; trial < trials; trial++) {
    const { low, high } = intervalOf(trial);
    if (low <= expected && expected <= high) hits++;
  }
  return hits / trials;
}

describe("groupBootstrap", () => {
  it("covers the expected share about as often as it says, where single images do not", () => {
    const trials = 300;
    const cover = (grouped: boolean) =>
      covered(trials, 0.6, (trial) => {
        const { correct, groups } = correlated(trial, 80);
        return groupBootstrap(correct, grouped ? groups : [...groups.keys()], {
          seed: trial,
          draws: 400,
        });
      });
    // 0.95 with three standard errors of 300 trials, and 0.01 for a percentile interval of 80 groups.
    expect(Math.abs(cover(true) - 0.95)).toBeLessThan(3 * Math.sqrt((0.95 * 0.05) / trials) + 0.01);
    expect(cover(false)).toBeLessThan(0.88);
  });

  it("is wider than over single images where groups are right and wrong together", () => {
    const { correct, groups } = correlated(1, 200);
    const grouped = groupBootstrap(correct, groups, { seed: 0 });
    const single = groupBootstrap(correct, [...groups.keys()], { seed: 0 });
    expect((grouped.high - grouped.low) / (single.high - single.low)).toBeGreaterThan(1.3);
    expect(grouped.mean).toBe(single.mean);
    expect(grouped.kind).toBe("test sampling");
  });

  it("widens with the level and depends on nothing but its seed", () => {
    const { correct, groups } = correlated(1, 50);
    const at = (level: number, seed = 0) => groupBootstrap(correct, groups, { seed, level });
    expect(at(0.99).high - at(0.99).low).toBeGreaterThan(at(0.9).high - at(0.9).low);
    expect(at(0.95)).toEqual(at(0.95));
    expect(at(0.95, 1)).not.toEqual(at(0.95, 2));
  });

  it("says what is wrong with its input", () => {
    expect(() => groupBootstrap([1, 0], [1], { seed: 0 })).toThrow("current lengths are 2 and 1");
    expect(() => groupBootstrap([1, 0], [1, 1], { seed: 0 })).toThrow("at least two groups, current count is 1");
    expect(() => groupBootstrap([], [], { seed: 0 })).toThrow("at least one value");
    expect(() => groupBootstrap([1, 0], [1, 2], { seed: 0, level: 95 })).toThrow(
      "between 0 and 1, current value is 95",
    );
    expect(() => groupBootstrap([1, 0], [1, 2], { seed: 0, draws: 0 })).toThrow("positive integer, current value is 0");
  });
});

describe("pairedGroupBootstrap", () => {
  it("is zero for identical results", () => {
    const { correct, groups } = correlated(1, 50);
    const interval = pairedGroupBootstrap(correct, correct, groups, { seed: 0 });
    expect(interval).toEqual({ difference: 0, low: 0, high: 0, kind: "test sampling" });
  });

  it("tells apart results that unpaired intervals do not", () => {
    const { correct, groups } = correlated(1, 100);
    const worse = correct.map((value, image) => (image % 20 === 0 ? 0 : value));
    const interval = pairedGroupBootstrap(correct, worse, groups, { seed: 0 });
    expect(interval.low).toBeGreaterThan(0);
    const [better, lesser] = [correct, worse].map((values) => groupBootstrap(values, groups, { seed: 0 }));
    expect(better!.low).toBeLessThan(lesser!.high);
    expect(interval.difference).toBeCloseTo(better!.mean - lesser!.mean, 12);
  });

  it("covers no difference about as often as it says", () => {
    const trials = 300;
    const coverage = covered(trials, 0, (trial) => {
      const [a, b] = [correlated(2 * trial, 80), correlated(2 * trial + 1, 80)];
      return pairedGroupBootstrap(a.correct, b.correct, a.groups, { seed: trial, draws: 400 });
    });
    expect(Math.abs(coverage - 0.95)).toBeLessThan(3 * Math.sqrt((0.95 * 0.05) / trials) + 0.01);
  });

  it("refuses results of different images", () => {
    expect(() => pairedGroupBootstrap([1, 0], [1], [1, 2], { seed: 0 })).toThrow("current lengths are 2 and 1");
  });
});

describe("seedInterval", () => {
  it("is Student's interval", () => {
    // Mean 2, standard deviation 1, 3 values: 4.30265 / sqrt(3) to either side.
    const interval = seedInterval([1, 2, 3])!;
    expect(interval).toMatchObject({ mean: 2, kind: "seeds" });
    expect(interval.high - 2).toBeCloseTo(4.3026527 / Math.sqrt(3), 6);
    expect(2 - interval.low).toBeCloseTo(4.3026527 / Math.sqrt(3), 6);
  });

  it("says nothing of fewer than 3 seeds", () => {
    expect(seedInterval([1, 2])).toBeUndefined();
  });
});
