import { InputError } from "../errors";
import { randomStream } from "../engine/random";
import { quantile } from "./intervals";
import { meanOf } from "./mean";

/** One thing by two measures. */
export type Pair = readonly [x: number, y: number];

/** A rank correlation with its interval. */
export interface RankCorrelation {
  /** -1 to 1; NaN, as are its ends, where one measure tells nothing apart. */
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Draws of the bootstrap, and the share of them that the interval holds. */
const [draws, level] = [2000, 0.95];

/**
 * Spearman's rank correlation: Pearson's of the ranks, equal values by the mean of their ranks.
 *
 * @returns NaN where all values of one measure are equal
 */
export function rankCorrelation(pairs: readonly Pair[]): number {
  const [x, y] = [0, 1].map((side) => centered(ranks(pairs.map((pair) => pair[side]!)))) as [number[], number[]];
  const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, at) => sum + value * b[at]!, 0);
  return dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y));
}

/**
 * Spearman's rank correlation over groups of pairs, with a percentile interval: each draw takes groups with replacement, and
 * of each of them its pairs with replacement, since pairs of a group, such as seeds of one recipe, are alike. Draws in which
 * a measure has one value alone have no correlation and are left out.
 *
 * @throws InputError if there are fewer than three groups: they have no order to speak of
 */
export function rankCorrelationOfGroups(groups: readonly (readonly Pair[])[], seed: number): RankCorrelation {
  if (groups.length < 3 || groups.some((pairs) => pairs.length === 0)) {
    throw new InputError(
      `Cannot correlate ranks: there must be three groups or more, each with a pair, current counts are ${groups.map((pairs) => pairs.length).join(", ") || "none"}`,
    );
  }
  const random = randomStream(seed, "rank correlation");
  const drawn = <T>(values: readonly T[]): T[] => values.map(() => values[random.integer(values.length)]!);
  const values = Array.from({ length: draws }, () => rankCorrelation(drawn(groups).flatMap(drawn)));
  const sorted = Float64Array.from(values.filter((value) => !Number.isNaN(value))).sort();
  if (sorted.length === 0) return { value: NaN, low: NaN, high: NaN };
  return {
    value: rankCorrelation(groups.flat()),
    low: quantile(sorted, (1 - level) / 2),
    high: quantile(sorted, (1 + level) / 2),
  };
}

/** Ranks from 1 for the smallest; equal values have the mean of their ranks. */
export function ranks(values: readonly number[]): number[] {
  const sorted = [...values].sort((a, b) => a - b);
  return values.map((value) => (sorted.indexOf(value) + sorted.lastIndexOf(value)) / 2 + 1);
}

function centered(values: readonly number[]): number[] {
  const mean = meanOf(values);
  return values.map((value) => value - mean);
}
