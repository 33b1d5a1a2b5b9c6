import { detectableEffect } from "../statistics/detectable-effect";
import { holm } from "../statistics/holm";
import type { Claim, Estimand, Unanswered } from "./claim";
import { evidenceOf, seedDifference, type Evidence, type SeedDifference, type SeedValues } from "./evidence";

/** Chance at which a claim of a table may be shown, or contradicted, though there is nothing. */
export const level = 0.05;

/** Seeds that a verdict takes. */
export const fewestSeeds = 5;

/** Runs are there, but fewer than a verdict takes. */
interface TooFewSeeds {
  readonly verdict: "too few seeds";
  readonly evidence: SeedDifference;
}

/** What came of a claim; computed, never typed. */
export type Judgement = { readonly claim: Claim } & (
  | Unanswered
  | TooFewSeeds
  | {
      readonly verdict: "reproduced" | "opposite";
      readonly evidence: Evidence;
      /** Of the side that the verdict is on, adjusted within the family. */
      readonly p: number;
    }
  | {
      readonly verdict: "not separated";
      readonly evidence: Evidence;
      /** Of the side that is nearer to a verdict, adjusted. */
      readonly p: number;
      /**
       * The smallest difference in points that this many seeds would have shown in four of five cases, by their spread, as
       * the first of its family. Of a trend: the gain from end to end. Of an equivalence: what would have contradicted it.
       */
      readonly smallest: number;
    }
);

/** The values of an estimand, or why there are none. */
export type FindValues = (estimand: Estimand) => { readonly values: SeedValues } | { readonly missing: string };

/**
 * Judges claims by their values. p are adjusted by Holm's method within each family of claims that have values, apart for
 * what shows a claim and what contradicts it.
 */
export function judge(claims: readonly Claim[], find: FindValues): Judgement[] {
  const found = claims.map((claim) => ({ claim, outcome: testedOf(claim, find) }));
  const adjusted = new Map<
    Claim,
    { readonly supports: number; readonly contradicts: number; readonly tests: number }
  >();
  for (const family of new Set(claims.map((claim) => claim.family))) {
    const tested = found.flatMap(({ claim, outcome }) =>
      claim.family === family && "supports" in outcome ? [{ claim, outcome }] : [],
    );
    const [supports, contradicts] = (["supports", "contradicts"] as const).map((side) =>
      holm(tested.map(({ outcome }) => outcome[side])),
    ) as [number[], number[]];
    tested.forEach(({ claim }, index) =>
      adjusted.set(claim, { supports: supports[index]!, contradicts: contradicts[index]!, tests: tested.length }),
    );
  }
  return found.map(({ claim, outcome }): Judgement => {
    if (!("supports" in outcome)) return { claim, ...outcome };
    const { supports, contradicts, tests } = adjusted.get(claim)!;
    if (supports < level) return { claim, verdict: "reproduced", evidence: outcome, p: supports };
    if (contradicts < level) return { claim, verdict: "opposite", evidence: outcome, p: contradicts };
    return {
      claim,
      verdict: "not separated",
      evidence: outcome,
      p: Math.min(supports, contradicts),
      smallest: smallestShown(outcome, tests),
    };
  });
}

/**
 * Those whose values stand in some tables, or that have one of some names. Choose after judging: p values are adjusted within
 * all claims of a table of the paper.
 */
export function judgementsOn<J extends Judgement>(
  judgements: readonly J[],
  { tables, ids = [] }: { readonly tables: readonly Estimand["table"][]; readonly ids?: readonly string[] },
): readonly J[] {
  return judgements.filter(
    ({ claim: { id, question } }) =>
      ids.includes(id) || ("estimand" in question && tables.includes(question.estimand.table)),
  );
}

function testedOf({ question }: Claim, find: FindValues): Evidence | Unanswered | TooFewSeeds {
  if (!("estimand" in question)) return question;
  const found = find(question.estimand);
  if ("missing" in found) return { verdict: "not run at this scale", reason: found.missing };
  const { test } = question;
  return found.values[0]!.length < fewestSeeds
    ? { verdict: "too few seeds", evidence: seedDifference(test, found.values) }
    : evidenceOf(test, found.values);
}

function smallestShown({ seeds, side, deviation, threshold }: Evidence, tests: number): number {
  return threshold + deviation * detectableEffect({ pairs: seeds, significance: (level * side) / tests });
}
