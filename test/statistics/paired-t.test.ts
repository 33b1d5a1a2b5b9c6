import { describe, expect, it } from "vitest";
import { pairedTTest, pOfDifferenceAbove, pOfEquivalence, pOfNonInferiority } from "../../src/statistics/paired-t";
import { reference, relativeError } from "./reference";

describe("pairedTTest", () => {
  it.each(reference.paired)("gives SciPy's test of $a.length pairs, and its intervals (%#)", (expected) => {
    const { a, b, intervals } = expected;
    for (const { level, low, high } of intervals) {
      const found = pairedTTest(a, b, level);
      for (const which of ["difference", "t", "p"] as const) {
        expect(relativeError(found[which], expected[which]), which).toBeLessThan(1e-9);
      }
      expect(relativeError(found.low, low)).toBeLessThan(1e-9);
      expect(relativeError(found.high, high)).toBeLessThan(1e-9);
    }
  });

  it("is certain of a difference that all pairs have, and says nothing where there is none", () => {
    expect(pairedTTest([2, 3, 4], [1, 2, 3])).toEqual({ difference: 1, low: 1, high: 1, t: Infinity, p: 0 });
    expect(pairedTTest([1, 2, 3], [1, 2, 3])).toEqual({ difference: 0, low: 0, high: 0, t: 0, p: 1 });
  });

  it("refuses what cannot be paired", () => {
    expect(() => pairedTTest([1, 2], [1])).toThrow("current counts are 2 and 1");
    expect(() => pairedTTest([1], [2])).toThrow("two at least, current counts are 1 and 1");
  });
});

describe("tests with a margin", () => {
  it.each(reference.paired)(
    "give the p of SciPy and statsmodels for $a.length pairs at margin $margin (%#)",
    (expected) => {
      const { a, b, margin } = expected;
      expect(relativeError(pOfDifferenceAbove(a, b, margin), expected.above)).toBeLessThan(1e-9);
      expect(relativeError(pOfNonInferiority(a, b, margin), expected.nonInferiority)).toBeLessThan(1e-9);
      expect(relativeError(pOfEquivalence(a, b, margin), expected.equivalence)).toBeLessThan(1e-9);
    },
  );

  it("refuse a margin that is none", () => {
    expect(() => pOfNonInferiority([1, 2], [1, 3], 0)).toThrow("it must be above 0, current value is 0");
    expect(() => pOfEquivalence([1, 2], [1, 3], NaN)).toThrow("current value is NaN");
  });
});
