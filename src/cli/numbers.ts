import { InvalidArgumentError } from "commander";

/** Reads a flag that must be an integer of at least `least`. */
export function integerFrom(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === "" || !Number.isSafeInteger(value) || value < least) {
      throw new InvalidArgumentError(`It must be an integer of at least ${least}.`);
    }
    return value;
  };
}

/** Reads a flag that must be a positive number. */
export function positiveNumber(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < Infinity)) throw new InvalidArgumentError("It must be a positive number.");
  return value;
}
