import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { isSystemError } from "./write-failure";

/**
 * Makes a folder, and those that it lies in, unless it is there.
 *
 * @throws the system's error, with the reason that counts
 */
export function makeFolder(folder: string): void {
  // Not by Node's `recursive`: it never ends where a file system says ENOENT of all folders, as /proc does, and says ENOENT of one
  // that can only be read. The first folder that is missing says why.
  try {
    mkdirSync(folder);
  } catch (error) {
    if (isSystemError(error) && error.code === "EEXIST" && isFolder(folder)) return;
    if (!isSystemError(error) || error.code !== "ENOENT" || dirname(folder) === folder) throw error;
    makeParents(dirname(folder));
    try {
      mkdirSync(folder);
    } catch (again) {
      throw isSystemError(again) && again.code === "EEXIST" ? error : again;
    }
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function makeParents(folder: string): void {
  try {
    mkdirSync(folder);
  } catch (error) {
    if (!isSystemError(error) || error.code === "EEXIST") return;
    if (error.code !== "ENOENT" || dirname(folder) === folder) throw error;
    makeParents(dirname(folder));
    mkdirSync(folder);
  }
}
