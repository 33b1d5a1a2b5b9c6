import { readFileSync } from "node:fs";
import { join } from "node:path";

interface Paired {
  readonly a: readonly number[];
  readonly b: readonly number[];
  readonly margin: number;
  readonly difference: number;
  readonly t: number;
  readonly p: number;
  readonly intervals: readonly { readonly level: number; readonly low: number; readonly high: number }[];
  /** One-sided p of a difference above the margin. */
  readonly above: number;
  readonly nonInferiority: number;
  readonly equivalence: number;
}

interface Reference {
  readonly student: {
    readonly quantiles: readonly {
      readonly probability: number;
      readonly freedom: number;
      readonly quantile: number;
    }[];
    readonly tails: readonly { readonly t: number; readonly freedom: number; readonly tail: number }[];
  };
  readonly normal: readonly { readonly x: number; readonly tail: number }[];
  readonly noncentral: readonly {
    readonly t: number;
    readonly freedom: number;
    readonly noncentrality: number;
    readonly tail: number;
  }[];
  readonly paired: readonly Paired[];
  readonly page: readonly {
    readonly blocks: readonly (readonly number[])[];
    readonly statistic: number;
    readonly p: number;
  }[];
  readonly holm: readonly { readonly p: readonly number[]; readonly adjusted: readonly number[] }[];
  readonly detectable: readonly {
    readonly pairs: number;
    readonly significance: number;
    readonly power: number;
    readonly effect: number;
  }[];
}

/** What SciPy and statsmodels say; made by test/golden/statistical_tests.py. */
export const reference = JSON.parse(
  readFileSync(join(__dirname, "fixtures", "statistical-tests.json"), "utf8"),
) as Reference;

/** How far a value is from what it should be, as a share of it. */
export function relativeError(value: number, expected: number): number {
  return value === expected ? 0 : Math.abs(value / expected - 1);
}
