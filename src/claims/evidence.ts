import { standardErrorOf } from "../statistics/mean";
import { pageTrend } from "../statistics/page-trend";
import { pairedTTest, pOfDifferenceAbove, pOfEquivalence, pOfNonInferiority } from "../statistics/paired-t";
import type { ClaimTest } from "./claim";

/** Values in points of the rows of a claim: a list a row, in it a value a seed, in the same order of seeds. */
export type SeedValues = readonly (readonly number[])[];

/** How far the first row is above the second, or the last of a trend above the first: mean over seeds with its 95 % interval. */
export interface SeedDifference {
  readonly difference: number;
  /** Infinite with one seed, as `high`. */
  readonly low: number;
  readonly high: number;
  readonly seeds: number;
}

/** What values say of a claim, before it is known how many others are tested with it. */
export interface Evidence extends SeedDifference {
  /** p of the claim's test: small where the claim is shown. */
  readonly supports: number;
  /** The same of the opposite. Of a two-sided test both are doubled. */
  readonly contradicts: number;
  /** Standard deviation of the difference over seeds. */
  readonly deviation: number;
  /** What the difference has to exceed for the claim to be shown, or, of an equivalence, to be contradicted. */
  readonly threshold: number;
  /** Share of the level that this side of the test has: a half where it is two-sided. */
  readonly side: 0.5 | 1;
}

/** The difference that a claim is about, by however many seeds there are. */
export function seedDifference(test: ClaimTest, values: SeedValues): SeedDifference {
  const [above, below] = comparedRows(test, values);
  const seeds = above.length;
  if (seeds === 1) return { difference: above[0]! - below[0]!, low: -Infinity, high: Infinity, seeds };
  const { difference, low, high } = pairedTTest(above, below);
  return { difference, low, high, seeds };
}

function comparedRows(test: ClaimTest, values: SeedValues): readonly [readonly number[], readonly number[]] {
  const [first, last] = [values[0]!, values.at(-1)!];
  return test.kind === "trend" ? [last, first] : [first, last];
}

/**
 * Tests a claim on the values of its rows. Seeds are pairs: the same seed gives rows the same order of images and, where they
 * have the same network, the same first weights.
 */
export function evidenceOf(test: ClaimTest, values: SeedValues): Evidence {
  const [above, below] = comparedRows(test, values);
  const measured = seedDifference(test, values);
  const differences = above.map((value, seed) => value - below[seed]!);
  const deviation = standardErrorOf(differences) * Math.sqrt(measured.seeds);
  return { ...measured, deviation, ...sidesOf(test, above, below, values) };
}

function sidesOf(
  test: ClaimTest,
  above: readonly number[],
  below: readonly number[],
  values: SeedValues,
): Pick<Evidence, "supports" | "contradicts" | "threshold" | "side"> {
  switch (test.kind) {
    case "difference":
      return {
        supports: twice(pOfDifferenceAbove(above, below, 0)),
        contradicts: twice(pOfDifferenceAbove(below, above, 0)),
        threshold: 0,
        side: 0.5,
      };
    case "non-inferiority":
      return {
        supports: pOfNonInferiority(above, below, test.margin),
        contradicts: pOfDifferenceAbove(below, above, test.margin),
        threshold: -test.margin,
        side: 1,
      };
    case "equivalence": {
      const beyond = [pOfDifferenceAbove(above, below, test.margin), pOfDifferenceAbove(below, above, test.margin)];
      return {
        supports: pOfEquivalence(above, below, test.margin),
        contradicts: twice(Math.min(...beyond)),
        threshold: test.margin,
        side: 0.5,
      };
    }
    case "trend": {
      // Both have to hold, so the larger p counts.
      const risen = above.map((_, seed) => values.map((row) => row[seed]!));
      const fallen = risen.map((block) => [...block].reverse());
      return {
        supports: Math.max(pageTrend(risen).p, pOfDifferenceAbove(above, below, test.margin)),
        contradicts: Math.max(pageTrend(fallen).p, pOfDifferenceAbove(below, above, test.margin)),
        threshold: test.margin,
        side: 1,
      };
    }
  }
}

/** A side of a two-sided test. */
function twice(p: number): number {
  return Math.min(1, 2 * p);
}
