import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { InputError } from "../errors";
import { replaceFile } from "../files/replace-file";
import { listed } from "./class-folders";
import type { DecodingFailure } from "./decoding-task";
import { startDecoding, unreadable } from "./decoding-threads";
import type { FileSet, ImageFiles } from "./image-set";

/** A set whose files are not more than this together is decoded once when it is loaded first: some minutes at the most. */
const decodedBytes = 2 ** 29;

/** Fewer images are decoded again faster than one would notice. */
const rememberedFrom = 500;

/** Images whose digests are taken at a time. */
const digestedTogether = 1024;

/** Where digests are remembered; the project's folder of things that can be made again. */
const digestFolder = join(__dirname, "../../build/image-digests");

/**
 * Looks at files: their lengths and times.
 *
 * @param ids - their paths in `root`
 * @throws InputError listing those that cannot be looked at
 */
export function listFiles(root: string, ids: readonly string[]): ImageFiles {
  const files = { root: resolve(root), bytes: new Float64Array(ids.length), modified: new Float64Array(ids.length) };
  const gone: string[] = [];
  ids.forEach((id, index) => {
    // One after the other: ten times faster for a million files than asking for many at once, which goes through threads.
    const found = statSync(join(root, id), { throwIfNoEntry: false });
    if (found === undefined) gone.push(id);
    else [files.bytes[index], files.modified[index]] = [found.size, found.mtimeMs];
  });
  if (gone.length > 0) {
    throw new InputError(
      `Cannot load the image folder: files of ${root} are gone since they were listed, there are ${gone.length}:\n${listed(gone)}`,
    );
  }
  return files;
}

/** Remembered of a file: its length and time, and the digest of its pixels. */
type Remembered = readonly [bytes: number, modified: number, digest: string];

/**
 * The digest of each image's sides and pixels, remembered from the last time where the file has the same time and size;
 * undefined for a set that is too large to be decoded for it.
 *
 * @throws InputError listing the images that cannot be decoded
 */
export function digestsOf(set: FileSet): readonly string[] | undefined {
  const { bytes, modified, root } = set.files;
  if (bytes.reduce((sum, length) => sum + length, 0) > decodedBytes) return undefined;
  const file = join(digestFolder, `${createHash("sha256").update(root).digest("hex").slice(0, 16)}.json`);
  const before = remembered(file);
  const digests = set.ids.map((id, index) => {
    const known = before.get(id);
    return known && known[0] === bytes[index] && known[1] === modified[index] ? known[2] : undefined;
  });
  const unknown = Int32Array.from(digests.keys()).filter((index) => digests[index] === undefined);
  if (unknown.length === 0) return digests as string[];
  const fresh = decodeDigests(set, unknown);
  unknown.forEach((index, at) => (digests[index] = fresh[at]!));
  const entries = set.ids.map((id, index): [string, Remembered] => [
    id,
    [bytes[index]!, modified[index]!, digests[index]!],
  ]);
  if (entries.length >= rememberedFrom) remember(file, Object.fromEntries(entries));
  return digests as string[];
}

/**
 * Decodes images of a set, and nothing is kept of them but the digests of their sides and pixels.
 *
 * @throws InputError listing the images that cannot be decoded
 */
export function decodeDigests(set: FileSet, indices: Int32Array): readonly string[] {
  const digests: string[] = [];
  const failures: DecodingFailure[] = [];
  for (let first = 0; first < indices.length; first += digestedTogether) {
    const some = indices.subarray(first, first + digestedTogether);
    const decoding = startDecoding(set, some, { kind: "digest" });
    const done = decoding.wait();
    failures.push(...done.failures);
    some.forEach((_, place) => digests.push(Buffer.from(done.results, 32 * place, 32).toString("hex")));
    decoding.release();
  }
  if (failures.length > 0) throw unreadable(set, failures);
  return digests;
}

function remembered(file: string): ReadonlyMap<string, Remembered> {
  try {
    return new Map(Object.entries(JSON.parse(readFileSync(file, "utf8")) as Record<string, Remembered>));
  } catch {
    // None yet, or half of one: the digests are taken again.
    return new Map();
  }
}

function remember(file: string, entries: Readonly<Record<string, Remembered>>): void {
  try {
    replaceFile(file, JSON.stringify(entries));
  } catch {
    // A folder that cannot be written: the digests are taken again the next time.
  }
}
