import { existsSync, renameSync, rmSync } from "node:fs";
import { format, parse } from "node:path";
import { InputError } from "../errors";
import { replaceFile } from "./replace-file";

/**
 * Two generations of a file: the newest, and beside it the one before, "checkpoint.previous.safetensors". A newest one that
 * turns out to be damaged is kept as "checkpoint.damaged.safetensors".
 */
export function previousOf(path: string): string {
  return named(path, "previous");
}

function damagedOf(path: string): string {
  return named(path, "damaged");
}

function named(path: string, generation: string): string {
  const { dir, name, ext } = parse(path);
  return format({ dir, name: `${name}.${generation}`, ext });
}

/** Writes the next generation, durably as {@link replaceFile} does. At each moment one that is whole is there. */
export function writeGeneration(path: string, content: Uint8Array): void {
  replaceFile(path, content, { previous: previousOf(path) });
}

/** Deletes all generations. */
export function forgetGenerations(path: string): void {
  for (const file of [path, previousOf(path), damagedOf(path)]) rmSync(file, { force: true });
}

/**
 * Reads the newest generation, to go on from it. If it is damaged or gone, the one before takes its place for good; if that
 * is none either, nothing is gone on from. Says so in one line of warning.
 *
 * @param read - throws an `InputError` if a file is damaged
 * @returns undefined if there is none that is whole
 */
export function restoreNewest<T>(path: string, read: (path: string) => T): T | undefined {
  const newest = attempt(path, read);
  if (newest.whole) return newest.content;
  const previous = previousOf(path);
  const before = attempt(previous, read);
  const damage = [newest, before].flatMap(({ problem }) => problem ?? []);
  if (damage.length === 0 && !before.whole) return undefined;

  if (newest.problem !== undefined) {
    renameSync(path, damagedOf(path));
    damage[0] += `; it is kept as ${damagedOf(path)}`;
  }
  if (before.whole) {
    renameSync(previous, path);
    console.warn(`${damage[0] ?? `There is no ${path}`}. Going on from the checkpoint before it.`);
    return before.content;
  }
  rmSync(previous, { force: true });
  console.warn(`${damage.join(". ")}. There is no checkpoint to go on from: starting anew.`);
  return undefined;
}

/**
 * Reads a file that can be made again. A damaged one is kept as "run.damaged.json", which one line of warning says.
 *
 * @param read - throws an `InputError` if the file is damaged, with how it is made again
 * @returns undefined if there is none that is whole
 */
export function readOrSetAside<T>(path: string, read: (path: string) => T): T | undefined {
  const { whole, content, problem } = attempt(path, read);
  if (whole) return content;
  if (problem === undefined) return undefined;
  renameSync(path, damagedOf(path));
  console.warn(`${problem}. Made again now; the damaged file is kept as ${damagedOf(path)}.`);
  return undefined;
}

/** Reads a file that can be made again, and leaves it as it is; undefined if there is none that is whole. */
export function readIfWhole<T>(path: string, read: (path: string) => T): T | undefined {
  return attempt(path, read).content;
}

/**
 * Reads a file of which there may be generations, and leaves them as they are.
 *
 * @throws InputError as `read` does, and saying where the generation before is
 */
export function readGeneration<T>(path: string, read: (path: string) => T): T {
  try {
    return read(path);
  } catch (error) {
    const previous = previousOf(path);
    if (!(error instanceof InputError) || !existsSync(previous)) throw error;
    throw new InputError(`${error.message}. The checkpoint before it is ${previous}`, { cause: error });
  }
}

type Attempt<T> =
  | { readonly whole: true; readonly content: T; readonly problem?: undefined }
  | { readonly whole: false; readonly content?: undefined; readonly problem: string | undefined };

function attempt<T>(path: string, read: (path: string) => T): Attempt<T> {
  if (!existsSync(path)) return { whole: false, problem: undefined };
  try {
    return { whole: true, content: read(path) };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { whole: false, problem: error.message };
  }
}
