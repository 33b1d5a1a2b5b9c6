import type { DetectionMeasure } from "../detection/metric/detection-metrics";
import type { Ablation } from "../experiments/ablation/ablation";
import type { MetricName } from "../experiments/ablation/ablation-result";
import type { TransferName } from "../experiments/transfer/transfer";

/** Where the values of a claim stand: rows of a table by one measure. */
export type Estimand =
  | {
      readonly kind: "ablation";
      readonly table: Ablation["id"];
      readonly metric: MetricName;
      /** Labels of the table; what is claimed of their order is said by the test. */
      readonly rows: readonly string[];
    }
  | {
      readonly kind: "transfer";
      readonly table: TransferName;
      readonly metric: DetectionMeasure;
      readonly rows: readonly string[];
    };

/**
 * What is tested, with margins in points (percent):
 *
 * - difference: the first row is above the second; Student's paired t, two-sided.
 * - non-inferiority: the first row is not below the second by the margin or more; one-sided.
 * - equivalence: the two rows differ by less than the margin; two one-sided tests.
 * - trend: values rise from row to row (Page's test, seeds as blocks), and the last is above the first by more than the margin.
 */
export type ClaimTest =
  | { readonly kind: "difference" }
  | { readonly kind: "non-inferiority" | "equivalence" | "trend"; readonly margin: number };

/** Why a claim has no values here: what it takes is not run at the kit's scale, or it is no question of values. */
export interface Unanswered {
  readonly verdict: "not run at this scale" | "not tested";
  readonly reason: string;
}

/** What a claim says, whose it is, and what the paper prints of it. */
export interface ClaimText {
  /** Of docs/claims.md, followed by its part where a claim has several; else a name. */
  readonly id: string;
  readonly statement: string;
  /** What is common stands in docs/claims.md. */
  readonly by: "paper" | "common claim" | "common doubt";
  /** Table, figure or section of the paper that it is about. */
  readonly source: string;
  /** As printed, and in points: the first row above the second, or the last of a trend above the first. */
  readonly reference: { readonly points: number | undefined; readonly printed: string } | undefined;
}

/** A claim of the paper, or one that is commonly made of it, as data: written from what is printed, never from what was recorded. */
export interface Claim extends ClaimText {
  /** Claims that are adjusted together: those of one table of the paper. */
  readonly family: string;
  readonly question: { readonly estimand: Estimand; readonly test: ClaimTest } | Unanswered;
}

/** Points above which the paper highlights a difference in its tables. */
export const highlighted = 0.5;

/**
 * A reference from two printed numbers.
 *
 * @param at - where on an axis they are printed, such as "K = 4,096", if that is not said otherwise
 * @returns undefined where the paper does not have both
 */
export function printed(
  above: number | "fail" | undefined,
  below: number | "fail" | undefined,
  at?: readonly [above: string, below: string],
): Claim["reference"] {
  if (above === undefined || below === undefined) return undefined;
  const places = at?.map((place) => ` (${place})`) ?? ["", ""];
  const text = `${asPrinted(above)}${places[0]} against ${asPrinted(below)}${places[1]}`;
  if (above === "fail" || below === "fail") return { points: undefined, printed: text };
  // Printed numbers have one decimal, their difference in binary has more.
  return { points: Math.round(10 * (above - below)) / 10, printed: text };
}

function asPrinted(value: number | "fail"): string {
  return value === "fail" ? value : value.toFixed(1);
}
