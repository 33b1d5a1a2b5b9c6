import { existsSync, readdirSync } from "node:fs";
import { mkdir, rename, rm, stat, statfs } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { InputError } from "../../errors";
import { whileLocked } from "../../files/folder-lock";
import { foldersOf, walk } from "../folder-tree";
import type { DataSetFinding } from "../load";
import { download, fileProblem, type DownloadOptions, type DownloadProgress } from "./download";
import { publishedSets, type PublishedArchive, type PublishedSet } from "./published-sets";
import { unpack } from "./unpack";

/** Folder below the data root that archives are downloaded to; they are removed once the set is in place. */
const downloadFolder = "downloads";

/** ImageNet has 1.3 million files. */
const maximumEntries = 2_000_000;

/** Options of {@link getSet}. */
export interface GetOptions {
  /** Folder in which data sets lie. */
  readonly root: string;
  /** Address of a folder on another server, which has the archives under their names. */
  readonly mirror?: string | undefined;
  /** Folder with archives of the user's; those that are there are not downloaded, and stay. */
  readonly archives?: string | undefined;
  readonly onProgress?: (progress: DownloadProgress) => void;
  /** Told what begins, in words. */
  readonly onStage?: (stage: string) => void;
  /** Stops it; what was unpacked is removed, what was downloaded stays. */
  readonly signal?: AbortSignal;
  readonly transfers?: Pick<DownloadOptions, "stallSeconds" | "tries" | "waitSeconds">;
}

/** The published set of a name. */
export function publishedSet(name: string): PublishedSet {
  const set = publishedSets.find((one) => one.name === name);
  if (set !== undefined) return set;
  const names = publishedSets.map((one) => one.name).join(", ");
  throw new InputError(`Cannot get a data set: choose one of ${names}, current value is "${name}"`);
}

/**
 * Puts a published data set in place: checks that the disk has room, gets its archives, checks and unpacks them beside, counts
 * the files, and moves the whole into its place. Where it is in place already, does nothing.
 *
 * @returns whether something was done
 * @throws InputError saying what is missing, wrong or too large; nothing half-made is left in place
 */
export async function getSet(set: PublishedSet, options: GetOptions): Promise<boolean> {
  const { root } = options;
  if (existsSync(join(root, set.place))) {
    await assertWhole(set, root);
    return false;
  }
  // One process at a time: two would write the same files.
  await whileLocked(join(root, downloadFolder), () => putInPlace(set, options));
  return true;
}

async function putInPlace(set: PublishedSet, options: GetOptions): Promise<void> {
  const { root, mirror, archives, onProgress, onStage, signal, transfers } = options;
  const target = join(root, set.place);
  if (mirror !== undefined) assertAddress(mirror);
  const places = placesOf(set, root, archives);
  const beside = join(root, `.${set.name}.unpacking`);
  // Of a call that was killed; it may take as much room as the set.
  await rm(beside, { recursive: true, force: true });
  await assertRoom(set, root, places);
  for (const { archive, path, isOwn } of places) {
    if (isOwn || existsSync(path)) {
      onStage?.(`Checking ${path}`);
      const problem = await fileProblem(path, archive.bytes, archive.checksum, signal);
      if (problem !== undefined) {
        throw new InputError(`Cannot use ${path}: it ${problem}. Remove it, or take another copy, and run this again`);
      }
      continue;
    }
    await mkdir(dirname(path), { recursive: true });
    const url = mirror === undefined ? archive.url : `${mirror.replace(/\/$/, "")}/${archive.file}`;
    onStage?.(`Downloading ${url}`);
    const { bytes, checksum } = archive;
    await download(url, { ...transfers, path, bytes: bytes!, checksum, onProgress, signal });
  }
  try {
    for (const { archive, path } of places) {
      onStage?.(`Unpacking ${path}`);
      const into = join(beside, archive.into);
      await mkdir(into, { recursive: true });
      const maximumBytes = Math.round(1.1 * set.unpackedBytes);
      await unpack(path, into, { maximumBytes, maximumEntries, nested: archive.nested, signal });
    }
    if (set.finish !== undefined) {
      onStage?.("Making class folders");
      await set.finish(beside, signal);
    }
    onStage?.("Counting files");
    const wrong = await wrongCounts(set, beside);
    if (wrong.length > 0) {
      throw new InputError(
        `Cannot put ${set.title} in place: its archives have other files than it should have\n${wrong.join("\n")}`,
      );
    }
    signal?.throwIfAborted();
    await mkdir(dirname(target), { recursive: true });
    await rename(join(beside, set.place), target);
  } finally {
    await rm(beside, { recursive: true, force: true });
  }
  for (const { path, isOwn } of places) if (!isOwn) await rm(path, { force: true });
}

/**
 * Counts the files of a set in place.
 *
 * @throws InputError naming each folder that has another number of files
 */
export async function assertWhole(set: PublishedSet, root: string): Promise<void> {
  const { name, title, place } = set;
  if (!existsSync(join(root, place))) {
    throw new InputError(`Cannot find ${title}: get it by: moco data get ${name}, missing is ${join(root, place)}`);
  }
  const wrong = await wrongCounts(set, root);
  if (wrong.length > 0) {
    throw new InputError(
      `Cannot use ${title}: it is not whole. Move or remove ${join(root, place)} and get it again\n${wrong.join("\n")}`,
    );
  }
}

/** A line for each folder that has another number of files than the set. */
async function wrongCounts({ expected }: PublishedSet, root: string): Promise<readonly string[]> {
  const wrong: string[] = [];
  for (const { folder, ending, count } of expected) {
    const found = await countFiles(join(root, folder), ending);
    if (found !== count)
      wrong.push(`${join(root, folder)}: must have ${count} files *${ending}, current count is ${found}`);
  }
  return wrong;
}

/** Which published sets are in place: each of their folders has something. Files are not counted. */
export function findPublishedSets(root: string): readonly DataSetFinding[] {
  return publishedSets.map(({ name, title, place, expected }) => {
    const folder = join(root, place);
    const get = `get it by: moco data get ${name}`;
    if (!existsSync(folder)) return { name, found: false, detail: `${title}; ${get}` };
    const empty = expected.filter((one) => isEmpty(join(root, one.folder))).map((one) => relative(place, one.folder));
    return empty.length === 0
      ? { name, found: true, detail: folder }
      : { name, found: false, detail: `${folder} lacks files in ${empty.join(", ") || "it"}; remove it, and ${get}` };
  });
}

/** Whether a folder has nothing, or is none. */
function isEmpty(folder: string): boolean {
  try {
    return readdirSync(folder).length === 0;
  } catch {
    return true;
  }
}

async function countFiles(folder: string, ending: string): Promise<number> {
  if (!existsSync(folder)) return 0;
  let count = 0;
  // Names that begin with a dot are not among the files: systems leave files of their own beside images, "._1.jpg".
  for (const [, { files }] of foldersOf(await walk(folder)))
    count += files.filter((name) => name.endsWith(ending)).length;
  return count;
}

function assertAddress(mirror: string): void {
  if (URL.canParse(mirror) && /^https?:$/.test(new URL(mirror).protocol)) return;
  throw new InputError(
    `Cannot get a data set: --mirror must be the address of a folder, http://... or https://..., current value is "${mirror}"`,
  );
}

interface ArchivePlace {
  readonly archive: PublishedArchive;
  readonly path: string;
  /** Whether it is the user's. */
  readonly isOwn: boolean;
}

function placesOf(
  { archives, title, ownArchives }: PublishedSet,
  root: string,
  folder: string | undefined,
): readonly ArchivePlace[] {
  const places = archives.map((archive): ArchivePlace => {
    const own = folder === undefined ? undefined : join(folder, archive.file);
    if (own !== undefined && existsSync(own)) return { archive, path: own, isOwn: true };
    return { archive, path: join(root, downloadFolder, archive.file), isOwn: false };
  });
  const missing = ownArchives ? places.filter(({ isOwn }) => !isOwn) : [];
  if (missing.length === 0) return places;
  const lines = missing.map(({ archive: { file, bytes } }) =>
    bytes === undefined ? file : `${file}, ${sizeInWords(bytes)}`,
  );
  throw new InputError(
    `Cannot get ${title}: its archives are given to those who sign in at image-net.org. Download them there, and name ` +
      `their folder by --archives, ${folder === undefined ? "none is named" : `current one is ${folder}`}; missing are:\n${lines.join("\n")}`,
  );
}

function sizeInWords(bytes: number): string {
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}

/** Room for what is not downloaded yet and for the unpacked files, while both are there. */
async function assertRoom(set: PublishedSet, root: string, places: readonly ArchivePlace[]): Promise<void> {
  let needed = set.unpackedBytes;
  for (const { archive, path, isOwn } of places) {
    if (isOwn || existsSync(path)) continue;
    const started = (await stat(`${path}.part`).catch(() => undefined))?.size ?? 0;
    needed += Math.max(0, archive.bytes! - started);
  }
  const { bavail, bsize } = await statfs(root);
  const free = bavail * bsize;
  if (free >= needed) return;
  const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;
  throw new InputError(
    `Cannot get ${set.title}: ${root} must have ${gigabytes(needed)} free, for the archives and the unpacked files; ` +
      `choose another folder by --data-root, current space is ${gigabytes(free)}`,
  );
}
