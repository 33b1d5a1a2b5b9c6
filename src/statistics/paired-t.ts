import { InputError } from "../errors";
import { meanOf, standardErrorOf } from "./mean";
import { studentQuantile, studentTail } from "./student-t";

/** The mean difference of two rows whose values belong together in pairs, such as two recipes by seed. */
export interface PairedTTest {
  /** Mean of `a - b`. */
  readonly difference: number;
  readonly low: number;
  readonly high: number;
  /** The difference in standard errors; infinite where all pairs differ by the same. */
  readonly t: number;
  /** Two-sided, of no difference. */
  readonly p: number;
}

/**
 * Student's paired t test of no difference, with the interval of the difference.
 *
 * @param a - a value for each pair
 * @param b - the same of the other row, in the same order
 * @param level - coverage of the interval
 * @throws InputError if the rows differ in length or have fewer than two pairs
 */
export function pairedTTest(a: readonly number[], b: readonly number[], level = 0.95): PairedTTest {
  const { difference, error, freedom } = differenceOf(a, b);
  const t = inErrors(difference, error);
  const reach = error * studentQuantile((1 + level) / 2, freedom);
  return {
    difference,
    low: difference - reach,
    high: difference + reach,
    t,
    p: 2 * studentTail(Math.abs(t), freedom),
  };
}

/**
 * One-sided p of a paired t test: small where the mean of `a - b` is above the bound by more than chance explains.
 *
 * @throws InputError as `pairedTTest` does
 */
export function pOfDifferenceAbove(a: readonly number[], b: readonly number[], bound: number): number {
  const { difference, error, freedom } = differenceOf(a, b);
  return studentTail(inErrors(difference - bound, error), freedom);
}

/**
 * p of non-inferiority: small where `a` is not worse than `b` by the margin or more.
 *
 * @param margin - above 0, in the unit of the values
 * @throws InputError as `pairedTTest` does, or if the margin is not positive
 */
export function pOfNonInferiority(a: readonly number[], b: readonly number[], margin: number): number {
  assertMargin(margin);
  return pOfDifferenceAbove(a, b, -margin);
}

/**
 * p of equivalence by two one-sided tests (Schuirmann, 1987): small where `a` and `b` differ by less than the margin.
 *
 * @param margin - above 0, in the unit of the values
 * @throws InputError as `pairedTTest` does, or if the margin is not positive
 */
export function pOfEquivalence(a: readonly number[], b: readonly number[], margin: number): number {
  assertMargin(margin);
  return Math.max(pOfDifferenceAbove(a, b, -margin), pOfDifferenceAbove(b, a, -margin));
}

function differenceOf(a: readonly number[], b: readonly number[]) {
  if (a.length !== b.length || a.length < 2) {
    throw new InputError(
      `Cannot compare rows in pairs: both must have the same number of values, two at least, current counts are ${a.length} and ${b.length}`,
    );
  }
  const differences = a.map((value, pair) => value - b[pair]!);
  return { difference: meanOf(differences), error: standardErrorOf(differences), freedom: a.length - 1 };
}

/** Nothing is no standard errors away, also where there is no spread. */
function inErrors(difference: number, error: number): number {
  return difference === 0 ? 0 : difference / error;
}

function assertMargin(margin: number): void {
  if (!(margin > 0)) {
    throw new InputError(`Cannot test with a margin: it must be above 0, current value is ${margin}`);
  }
}
