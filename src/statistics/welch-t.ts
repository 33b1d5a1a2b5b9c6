import { InputError } from "../errors";
import { meanOf, standardErrorOf } from "./mean";
import { studentQuantile, studentTail } from "./student-t";

/** The difference of the means of two rows whose values do not belong together. */
export interface WelchTTest {
  /** Mean of `a` minus mean of `b`. */
  readonly difference: number;
  readonly low: number;
  readonly high: number;
  /** Two-sided, of no difference. */
  readonly p: number;
}

/**
 * Welch's t test of no difference, for two rows of unequal spread, with the interval of the difference. Degrees of freedom by
 * Welch and Satterthwaite, rounded down, which makes the interval a little wider.
 *
 * @param level - coverage of the interval
 * @throws InputError if a row has fewer than two values
 */
export function welchTTest(a: readonly number[], b: readonly number[], level = 0.95): WelchTTest {
  if (a.length < 2 || b.length < 2) {
    throw new InputError(
      `Cannot compare the rows: each must have at least two values, current counts are ${a.length} and ${b.length}`,
    );
  }
  const difference = meanOf(a) - meanOf(b);
  const [ofA, ofB] = [standardErrorOf(a) ** 2, standardErrorOf(b) ** 2];
  const error = Math.sqrt(ofA + ofB);
  if (error === 0) return { difference, low: difference, high: difference, p: difference === 0 ? 1 : 0 };
  const freedom = Math.floor((ofA + ofB) ** 2 / (ofA ** 2 / (a.length - 1) + ofB ** 2 / (b.length - 1)));
  const reach = error * studentQuantile((1 + level) / 2, freedom);
  return {
    difference,
    low: difference - reach,
    high: difference + reach,
    p: 2 * studentTail(Math.abs(difference / error), freedom),
  };
}
