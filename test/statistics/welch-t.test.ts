import { describe, expect, it } from "vitest";
import { welchTTest } from "../../src/statistics/welch-t";

describe("welchTTest", () => {
  it("has the interval and p of SciPy's distribution at degrees of freedom rounded down", () => {
    // f = floor of Welch's 4.254; d -+ e * scipy.stats.t.ppf(0.975, f); 2 * scipy.stats.t.sf(abs(d / e), f)
    const { difference, low, high, p } = welchTTest([49.9, 51.2, 48.7, 50.3, 52.0], [47.1, 49.5, 50.2, 44.8]);
    expect(difference).toBeCloseTo(2.52, 9);
    expect(low).toBeCloseTo(-1.2315242973466503, 9);
    expect(high).toBeCloseTo(6.271524297346643, 9);
    expect(p).toBeCloseTo(0.13561129119864185, 9);
  });

  it("takes rows without any spread, and refuses one value", () => {
    expect(welchTTest([1, 1], [1, 1])).toEqual({ difference: 0, low: 0, high: 0, p: 1 });
    expect(welchTTest([2, 2], [1, 1]).p).toBe(0);
    expect(() => welchTTest([1], [1, 2])).toThrow("each must have at least two values, current counts are 1 and 2");
  });
});
