import { describe, expect, it } from "vitest";
import { InputError } from "../../src/errors";
import { rankCorrelation, rankCorrelationOfGroups, type Pair } from "../../src/statistics/rank-correlation";

const paired = (x: readonly number[], y: readonly number[]) => x.map((value, at): Pair => [value, y[at]!]);

describe("rankCorrelation", () => {
  // scipy 1.x: scipy.stats.spearmanr(x, y).statistic
  it.each([
    [[1, 2, 3, 4, 5], [5, 6, 7, 8, 7], 0.8207826816681233],
    [[0.41, 0.52, 0.52, 0.63, 0.39, 0.55, 0.6], [0.2, 0.25, 0.31, 0.31, 0.18, 0.29, 0.24], 0.6636363636363637],
    [[3, 1, 2], [1, 2, 3], -0.5],
  ])("of %j and %j is SciPy's, ties included", (x, y, expected) => {
    expect(rankCorrelation(paired(x, y))).toBeCloseTo(expected, 14);
  });

  it("is NaN where one measure tells nothing apart", () => {
    expect(rankCorrelation(paired([1, 2, 3], [4, 4, 4]))).toBeNaN();
  });
});

describe("rankCorrelationOfGroups", () => {
  const rising = [0, 1, 2, 3, 4].map((group) => paired([group, group + 0.1], [group * group, group * group + 0.1]));

  it("is certain where groups rise together, whatever is drawn", () => {
    expect(rankCorrelationOfGroups(rising, 1)).toEqual({ value: 1, low: 1, high: 1 });
  });

  it("is wider over groups than over as many pairs that stand for themselves", () => {
    const noisy = [3, 1, 4, 1.5, 5, 9].map((y, x) => [x, y] as const);
    const repeated = noisy.map(([x, y]) => paired([x, x + 0.01, x + 0.02], [y, y + 0.01, y + 0.02]));
    const width = ({ low, high }: { readonly low: number; readonly high: number }) => high - low;
    const alone = repeated.flat().map((pair) => [pair]);
    expect(width(rankCorrelationOfGroups(repeated, 1))).toBeGreaterThan(1.2 * width(rankCorrelationOfGroups(alone, 1)));
  });

  it("leaves draws without an order out", () => {
    const { value, low, high } = rankCorrelationOfGroups([[[1, 1]], [[2, 2]], [[3, 3]]], 1);
    expect([value, low, high]).toEqual([1, 1, 1]);
  });

  it("refuses fewer than three groups", () => {
    expect(() => rankCorrelationOfGroups(rising.slice(0, 2), 1)).toThrow(InputError);
  });
});
