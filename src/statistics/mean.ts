import { InputError } from "../errors";

/** The mean of some numbers. Throws an `InputError` for none. */
export function meanOf(values: ArrayLike<number>): number {
  if (values.length === 0)
    throw new InputError("Cannot take a mean: there must be at least one value, current count is 0");
  let sum = 0;
  for (let at = 0; at < values.length; at++) sum += values[at]!;
  return sum / values.length;
}

/** The standard error of the mean: by the spread of the values, of which there must be two at least. */
export function standardErrorOf(values: readonly number[]): number {
  if (values.length < 2) {
    throw new InputError(
      `Cannot take a standard error: there must be at least two values, current count is ${values.length}`,
    );
  }
  const mean = meanOf(values);
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1) / values.length);
}

/** The standard error of a share of independent trials. */
export function standardErrorOfShare(share: number, trials: number): number {
  return Math.sqrt((share * (1 - share)) / trials);
}
