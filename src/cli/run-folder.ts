import { accessSync, constants, mkdirSync } from "node:fs";
import { InputError } from "../engine/errors";

/** Makes the folder of a run before anything is trained for it; throws an `InputError` where it cannot be written. */
export function prepareFolder(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true });
    accessSync(directory, constants.W_OK);
  } catch (error) {
    throw new InputError(`Cannot write the run: choose another folder by --output; ${(error as Error).message}`);
  }
}
