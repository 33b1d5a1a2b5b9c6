import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { isSystemError } from "./write-failure";

/**
 * Makes a folder, and those that it lies in, unless it is there.
 *
 * @throws the system's error, with the reason that counts
 */
export function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    // Node says ENOENT of a file system that can only be read; the first folder that is missing says why.
    if (isSystemError(error) && error.code === "ENOENT") makeOneByOne(folder);
    throw error;
  }
}

function makeOneByOne(folder: string): void {
  try {
    mkdirSync(folder);
  } catch (error) {
    if (!isSystemError(error) || error.code === "EEXIST") return;
    if (error.code !== "ENOENT" || dirname(folder) === folder) throw error;
    makeOneByOne(dirname(folder));
    mkdirSync(folder);
  }
}
