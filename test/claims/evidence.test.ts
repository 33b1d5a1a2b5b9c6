import { describe, expect, it } from "vitest";
import { evidenceOf, type SeedValues } from "../../src/claims/evidence";

/** Seeds differ much from each other, rows by little from seed to seed. */
const seeds = [50, 61, 55, 58, 66];
const noise = [0.1, -0.2, 0.3, -0.1, -0.1];
const row = (above: number): number[] => seeds.map((value, seed) => value + above + (above === 0 ? 0 : noise[seed]!));

function sides(...[test, ...values]: [Parameters<typeof evidenceOf>[0], ...SeedValues]) {
  const { supports, contradicts } = evidenceOf(test, values);
  return { supports, contradicts };
}

describe("evidence", () => {
  it("is paired by seed: what seeds share falls out", () => {
    const { difference, low, high, deviation } = evidenceOf({ kind: "difference" }, [row(1), row(0)]);
    expect(difference).toBeCloseTo(1, 12);
    expect(deviation).toBeCloseTo(0.2, 12);
    expect(low).toBeGreaterThan(0.7);
    expect(high).toBeLessThan(1.3);
  });

  it("of a difference has two sides, each doubled", () => {
    const shown = sides({ kind: "difference" }, row(1), row(0));
    expect(shown.supports).toBeLessThan(0.001);
    expect(shown.contradicts).toBe(1);
    expect(sides({ kind: "difference" }, row(0), row(1))).toEqual({ supports: 1, contradicts: shown.supports });
  });

  it("of non-inferiority supports a row that is below by less than the margin, and contradicts one that is below by more", () => {
    const test = { kind: "non-inferiority", margin: 0.5 } as const;
    expect(sides(test, row(0.1), row(0)).supports).toBeLessThan(0.01);
    expect(sides(test, row(-0.1), row(0)).supports).toBeLessThan(0.01);
    expect(sides(test, row(-0.9), row(0)).contradicts).toBeLessThan(0.01);
    const between = sides(test, row(-0.5), row(0));
    expect(between.supports).toBeCloseTo(0.5, 9);
    expect(between.contradicts).toBeCloseTo(0.5, 9);
  });

  it("of equivalence supports a difference within the margin, and contradicts one beyond it to either side", () => {
    const test = { kind: "equivalence", margin: 0.5 } as const;
    expect(sides(test, row(0.1), row(0)).supports).toBeLessThan(0.01);
    for (const far of [1, -1]) {
      const { supports, contradicts } = sides(test, row(far), row(0));
      expect(supports).toBeGreaterThan(0.99);
      expect(contradicts).toBeLessThan(0.02);
    }
  });

  it("of a trend takes both the order and a gain above the margin", () => {
    const test = { kind: "trend", margin: 0.5 } as const;
    expect(sides(test, row(0), row(0.5), row(1), row(1.5)).supports).toBeLessThan(0.01);
    // In order, but by less than the margin.
    expect(sides(test, row(0), row(0.1), row(0.2), row(0.3)).supports).toBeGreaterThan(0.5);
    // By more than the margin, but not in order.
    expect(sides(test, row(0.1), row(3), row(-2), row(1.2)).supports).toBeGreaterThan(0.05);
    expect(sides(test, row(1.5), row(1), row(0.5), row(0)).contradicts).toBeLessThan(0.01);
  });

  it("of a trend has the gain from end to end as its difference", () => {
    const { difference } = evidenceOf({ kind: "trend", margin: 0.5 }, [row(0), row(9), row(1.5)]);
    expect(difference).toBeCloseTo(1.5, 12);
  });
});
