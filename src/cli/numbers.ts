import { InvalidArgumentError } from "commander";
import { isDecimal } from "../files/decimal";

/** Reads a flag that must be an integer of at least `least`, and at most `most`. */
export function integerFrom(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!isDecimal(text) || !Number.isSafeInteger(value) || Object.is(value, -0) || value < least || value > most) {
      throw new InvalidArgumentError(
        `It must be an integer of at least ${least}${most === Number.MAX_SAFE_INTEGER ? "" : ` and at most ${most}`}.`,
      );
    }
    return value;
  };
}

/** Reads a flag that must be a positive number. */
export function positiveNumber(text: string): number {
  const value = Number(text);
  if (!isDecimal(text) || !(value > 0 && value < Infinity))
    throw new InvalidArgumentError("It must be a positive number.");
  return value;
}
