import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { InputError } from "../errors";
import { replaceFile } from "../files/replace-file";
import { listed } from "./class-folders";
import { type DecodingFailure, type ImageSummary, readSummary } from "./decoding-task";
import { startDecoding, unreadable } from "./decoding-threads";
import type { FileSet, ImageFiles } from "./image-set";

/** A set whose files are not more than this together is decoded once when it is loaded first: some minutes at the most. */
const decodedBytes = 2 ** 29;

/** Fewer images are decoded again faster than one would notice. */
const rememberedFrom = 500;

/** Images that are decoded at a time. */
const decodedTogether = 1024;

/** Where summaries are remembered: the project's folder of things that can be made again. */
const summaryFolder = join(__dirname, "../../build/image-summaries");

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

/** Remembered of a file: its length and time, and what came out of decoding it. */
type Remembered = readonly [bytes: number, modified: number, summary: ImageSummary];

/**
 * What is to be known of each image's pixels, remembered from the last time where the file has the same time and size;
 * undefined for a set that is too large to be decoded for it.
 *
 * @throws InputError listing the images that cannot be decoded
 */
export function summariesOf(set: FileSet): readonly ImageSummary[] | undefined {
  const { bytes, modified, root } = set.files;
  if (bytes.reduce((sum, length) => sum + length, 0) > decodedBytes) return undefined;
  const file = join(summaryFolder, `${createHash("sha256").update(root).digest("hex").slice(0, 16)}.json`);
  const before = set.ids.length < rememberedFrom ? new Map<string, Remembered>() : remembered(file);
  const summaries = set.ids.map((id, index) => {
    const known = before.get(id);
    return known && known[0] === bytes[index] && known[1] === modified[index] ? known[2] : undefined;
  });
  const unknown = Int32Array.from(summaries.keys()).filter((index) => summaries[index] === undefined);
  if (unknown.length === 0) return summaries as ImageSummary[];
  const { summaries: fresh, failures } = decodeSummaries(set, unknown);
  if (failures.length > 0) throw unreadable(set, failures);
  unknown.forEach((index, at) => (summaries[index] = fresh[at]!));
  if (set.ids.length >= rememberedFrom) {
    const entry = (index: number): Remembered => [bytes[index]!, modified[index]!, summaries[index]!];
    remember(file, Object.fromEntries(set.ids.map((id, index) => [id, entry(index)])));
  }
  return summaries as ImageSummary[];
}

/**
 * Decodes every image of a data set's parts.
 *
 * @param name - of the data set, for messages
 * @throws InputError listing the images that cannot be decoded
 */
export function assertDecodable(name: string, parts: readonly FileSet[]): void {
  const failures = parts.flatMap((part) => decodeSummaries(part, Int32Array.from(part.ids.keys())).failures);
  if (failures.length > 0) throw unreadable({ name, files: parts[0]!.files }, failures, { all: true });
}

/** Decodes images of a set, and keeps what is to be known of them; of those that cannot be decoded it means nothing. */
function decodeSummaries(
  set: FileSet,
  indices: Int32Array,
): { readonly summaries: readonly ImageSummary[]; readonly failures: readonly DecodingFailure[] } {
  const summaries: ImageSummary[] = [];
  const failures: DecodingFailure[] = [];
  for (let first = 0; first < indices.length; first += decodedTogether) {
    const some = indices.subarray(first, first + decodedTogether);
    const decoding = startDecoding(set, some, { kind: "summary" });
    const done = decoding.wait();
    failures.push(...done.failures);
    some.forEach((_, place) => summaries.push(readSummary(done.results, place)));
    decoding.release();
  }
  return { summaries, failures };
}

/** None yet, or half of one: all images are decoded again. */
function remembered(file: string): ReadonlyMap<string, Remembered> {
  try {
    return new Map(Object.entries(JSON.parse(readFileSync(file, "utf8")) as Record<string, Remembered>));
  } catch {
    return new Map();
  }
}

function remember(file: string, entries: Readonly<Record<string, Remembered>>): void {
  try {
    replaceFile(file, JSON.stringify(entries));
  } catch {
    // A folder that cannot be written: all images are decoded again the next time.
  }
}
