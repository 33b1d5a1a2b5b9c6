import type { Stats } from "node:fs";
import { lstat, readdir, realpath, stat } from "node:fs/promises";
import { basename, join, posix } from "node:path";
import { InputError } from "../errors";

/** A folder, and all that lies below it. Each list is sorted by name. */
export interface Folder {
  readonly name: string;
  /** Names of its files. */
  readonly files: readonly string[];
  readonly folders: readonly Folder[];
  /** Names that begin with a dot, of files and folders; these are not looked into. */
  readonly hidden: readonly string[];
  /** All else by name, and what it is: "a link that leads nowhere". */
  readonly unusable: ReadonlyMap<string, string>;
}

/**
 * Walks through a folder and all below it. Links are followed, but not to a folder that they lie in: so it ends. Nothing is
 * opened but folders.
 *
 * @throws InputError if there is no such folder, or it cannot be read
 */
export async function walk(path: string): Promise<Folder> {
  try {
    return await walkInside(path, []);
  } catch (cause) {
    const code = codeOf(cause);
    const reasons: Readonly<Record<string, string>> = {
      ENOENT: "there is none",
      ENOTDIR: "it is a file, name the folder around it",
    };
    throw new InputError(`Cannot read the folder ${path}: ${reasons[code] ?? `the system refuses it (${code})`}`, {
      cause,
    });
  }
}

/** A folder and all below it, each with its path below the first, with "/". */
export function* foldersOf(folder: Folder, path = ""): Generator<readonly [path: string, folder: Folder]> {
  yield [path, folder];
  for (const inside of folder.folders) yield* foldersOf(inside, posix.join(path, inside.name));
}

/** @param around - the real paths of the folders that this one lies in */
async function walkInside(path: string, around: readonly string[]): Promise<Folder> {
  const lineage = [...around, await realpath(path)];
  const files: string[] = [];
  const folders: Folder[] = [];
  const hidden: string[] = [];
  const unusable = new Map<string, string>();
  const entries = await readdir(path, { withFileTypes: true });
  for (const entry of entries.sort((one, other) => (one.name < other.name ? -1 : 1))) {
    const { name } = entry;
    const at = join(path, name);
    if (name.startsWith(".")) hidden.push(name);
    else if (await isUndecodable(at)) unusable.set(name, "a name that is not UTF-8");
    else {
      const target = entry.isSymbolicLink() ? await targetOf(at) : entry;
      if (target === undefined) unusable.set(name, "a link that leads nowhere");
      else if (target.isFile()) files.push(name);
      else if (!target.isDirectory()) unusable.set(name, "neither a file nor a folder");
      else if (entry.isSymbolicLink() && lineage.includes(await realpath(at))) {
        unusable.set(name, "a link to a folder that it lies in");
      } else {
        const folder = await walkInside(at, lineage).catch(codeOf);
        if (typeof folder === "string") unusable.set(name, `a folder that cannot be read (${folder})`);
        else folders.push(folder);
      }
    }
  }
  return { name: basename(path), files, folders, hidden, unusable };
}

/** What is no UTF-8 was replaced by this character: by the name as it reads now there is no file. */
async function isUndecodable(path: string): Promise<boolean> {
  return basename(path).includes("\uFFFD") && (await lstat(path).catch(() => undefined)) === undefined;
}

/** A link may lead nowhere, or to itself. */
function targetOf(path: string): Promise<Stats | undefined> {
  return stat(path).catch(() => undefined);
}

/** @throws the error if it is none of the system */
function codeOf(error: unknown): string {
  if (error instanceof Error && "code" in error) return String(error.code);
  throw error;
}
