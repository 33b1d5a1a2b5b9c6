import { accessSync, constants } from "node:fs";
import { InputError } from "../errors";
import { makeFolder } from "../files/make-folder";
import { isSystemError, reasonOf } from "../files/write-failure";

/** Makes the folder of a run before anything is trained for it; throws an `InputError` where it cannot be written. */
export function prepareFolder(directory: string): void {
  try {
    makeFolder(directory);
    accessSync(directory, constants.W_OK);
  } catch (cause) {
    if (!isSystemError(cause)) throw cause;
    const [reason, advice] = reasonOf(cause);
    throw new InputError(`Cannot write the run in ${directory}: ${reason}. ${advice} by --output`, { cause });
  }
}
