import { describe, expect, it } from "vitest";
import { pageTrend } from "../../src/statistics/page-trend";
import { reference, relativeError } from "./reference";

describe("pageTrend", () => {
  it.each(reference.page)("gives SciPy's L and exact p of $blocks.length blocks (%#)", ({ blocks, statistic, p }) => {
    const found = pageTrend(blocks);
    expect(found.statistic).toBe(statistic);
    expect(relativeError(found.p, p)).toBeLessThan(1e-9);
  });

  it("counts a perfect order among all orders", () => {
    const risen = [
      [1, 2, 3, 4, 5],
      [10, 20, 30, 40, 50],
    ];
    expect(relativeError(pageTrend(risen).p, 1 / 120 ** 2)).toBeLessThan(1e-9);
    expect(pageTrend(risen.map((block) => [...block].reverse())).p).toBeCloseTo(1, 12);
  });

  it("looks at the order within a block alone", () => {
    const blocks = [
      [0.1, 0.3, 0.2],
      [0.5, 0.6, 0.9],
      [0.2, 0.1, 0.4],
    ];
    const moved = blocks.map((block, index) => block.map((value) => (value + index) ** 3));
    expect(pageTrend(moved)).toEqual(pageTrend(blocks));
  });

  it("refuses too few or too many values, and gaps", () => {
    expect(() => pageTrend([[1, 2, 3]])).toThrow("current counts are 1 and 3");
    expect(() =>
      pageTrend([
        [1, 2],
        [1, 2],
      ]),
    ).toThrow("current counts are 2 and 2");
    const eleven = Array.from({ length: 11 }, (_, at) => at);
    expect(() => pageTrend([eleven, eleven])).toThrow("3 to 10 values, current counts are 2 and 11");
    expect(() =>
      pageTrend([
        [1, 2, 3],
        [1, NaN, 3],
      ]),
    ).toThrow("must have 3 numbers, current counts are 3, 2");
  });
});
