import { InputError } from "../errors";

/** Throws the error of a file that cannot be read, from a problem that goes on "Cannot read FILE: ". */
export type Fail = (problem: string) => never;

/**
 * How reading a file fails.
 *
 * @param source - the file's name
 */
export function failureOf(source: string): Fail {
  return (problem) => {
    throw new InputError(`Cannot read ${source}: ${problem}`);
  };
}
