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
  // that can only be read.
  try {
    mkdirSync(folder);
  } catch (error) {
    if (isFolder(folder)) return;
    if (!hasCode(error, "ENOENT") || dirname(folder) === folder) throw error;
    makeParent(dirname(folder));
    try {
      mkdirSync(folder);
    } catch (again) {
      // Another process may have made it meanwhile.
      if (!isFolder(folder)) throw again;
    }
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function makeParent(folder: string): void {
  try {
    makeFolder(folder);
  } catch (error) {
    // What is in the place of the folder, a file or a link to nowhere, is told better by what fails in it.
    if (!hasCode(error, "EEXIST")) throw error;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return isSystemError(error) && error.code === code;
}
