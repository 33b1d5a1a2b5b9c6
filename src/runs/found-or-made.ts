import { dirname } from "node:path";
import { removeStaleLock, whileLocked } from "../files/folder-lock";
import { readIfWhole, readOrSetAside } from "../files/generations";

/**
 * The record of a finished run, which is only read: no other process is in its way. Else the run is made, with its folder locked;
 * a damaged record is set aside before, in one line of warning.
 *
 * @param path - of the record, in the run's folder
 * @param read - throws an `InputError` if the record is damaged, with how it is made again
 * @throws InputError if another process works in the folder
 */
export async function foundOrMade<T, U>(
  path: string,
  read: (path: string) => T | undefined,
  make: () => Promise<U>,
): Promise<T | U> {
  const directory = dirname(path);
  const found = readIfWhole(path, read);
  if (found !== undefined) {
    removeStaleLock(directory);
    return found;
  }
  return whileLocked(directory, async () => readOrSetAside(path, read) ?? (await make()));
}
