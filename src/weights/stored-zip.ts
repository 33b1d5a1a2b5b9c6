import { crc32 } from "node:zlib";
import type { Fail } from "./read-failure";

const endSignature = 0x06054b50;
const end64LocatorSignature = 0x07064b50;
const end64Signature = 0x06064b50;
const entrySignature = 0x02014b50;
const localSignature = 0x04034b50;

const endBytes = 22;
// The end record may be followed by a comment of at most 65,535 bytes.
const maximumEndDistance = endBytes + 0xffff;

const inZip64 = 0xffffffff;

/** An entry of a zip archive. */
interface ZipEntry {
  readonly size: number;
  readonly crc: number;
  /** Where its local header starts. */
  readonly start: number;
}

/** The entries of a zip archive by name; their contents are checked and cut out when asked for. */
export interface StoredZip {
  readonly names: readonly string[];
  /** The contents of an entry, a part of the archive. Fails if it is missing or its checksum is wrong. */
  readonly read: (name: string) => Buffer;
}

/**
 * Reads a zip archive (also zip64) whose entries are not compressed, as PyTorch writes them.
 *
 * Together the entries are at most as long as the archive, so reading all of them takes no more time than reading it.
 */
export function openStoredZip(bytes: Buffer, fail: Fail): StoredZip {
  const entries = readDirectory(bytes, fail);
  const known = new Map<string, Buffer>();
  const read = (name: string): Buffer => {
    const entry = entries.get(name) ?? fail(`its archive has no entry ${JSON.stringify(name)}`);
    const contents = known.get(name) ?? contentsOf(bytes, name, entry, fail);
    known.set(name, contents);
    return contents;
  };
  return { names: [...entries.keys()], read };
}

function readDirectory(bytes: Buffer, fail: Fail): Map<string, ZipEntry> {
  const { count, size, start } = findDirectory(bytes, fail);
  if (start + size > bytes.length || count * 46 > size) return fail("its archive's list of entries is damaged");
  const directory = bytes.subarray(start, start + size);
  const entries = new Map<string, ZipEntry>();
  let total = 0;
  for (let number = 0, position = 0; number < count; number++) {
    if (position + 46 > size || directory.readUInt32LE(position) !== entrySignature) {
      return fail("its archive's list of entries is damaged");
    }
    const nameEnd = position + 46 + directory.readUInt16LE(position + 28);
    const extraEnd = nameEnd + directory.readUInt16LE(position + 30);
    if (extraEnd > size) return fail("its archive's list of entries is cut short");
    const name = directory.toString("utf8", position + 46, nameEnd);
    const shown = JSON.stringify(name.slice(0, 200));
    if (directory.readUInt16LE(position + 8) & 1) return fail(`its entry ${shown} is encrypted`);
    if (directory.readUInt16LE(position + 10) !== 0) {
      return fail(`its entry ${shown} is compressed, which PyTorch never does: save it with torch.save`);
    }
    if (entries.has(name)) return fail(`its archive has two entries ${shown}`);
    const sizes = [20, 24, 42].map((offset) => directory.readUInt32LE(position + offset));
    const [packed, unpacked, local] = withZip64(sizes, directory.subarray(nameEnd, extraEnd), fail);
    total += packed!;
    if (packed !== unpacked || total > bytes.length) return fail(`its entry ${shown} is longer than the archive`);
    entries.set(name, { size: packed!, crc: directory.readUInt32LE(position + 16), start: local! });
    position = extraEnd + directory.readUInt16LE(position + 32);
  }
  return entries;
}

function findDirectory(bytes: Buffer, fail: Fail): { count: number; size: number; start: number } {
  const earliest = Math.max(0, bytes.length - maximumEndDistance);
  let end = bytes.length - endBytes;
  while (end >= earliest && bytes.readUInt32LE(end) !== endSignature) end--;
  if (end < earliest) return fail("its archive has no end: it is cut short, take another copy");
  const locator = end - 20;
  if (locator < 0 || bytes.readUInt32LE(locator) !== end64LocatorSignature) {
    return {
      count: bytes.readUInt16LE(end + 10),
      size: bytes.readUInt32LE(end + 12),
      start: bytes.readUInt32LE(end + 16),
    };
  }
  const end64 = Number(bytes.readBigUInt64LE(locator + 8));
  if (end64 + 56 > bytes.length || bytes.readUInt32LE(end64) !== end64Signature) {
    return fail("its archive's end is damaged");
  }
  const [count, size, start] = [32, 40, 48].map((offset) => Number(bytes.readBigUInt64LE(end64 + offset)));
  return { count: count!, size: size!, start: start! };
}

/** Puts the 64-bit numbers of an entry's extra field in place of those that do not fit into 32 bits. */
function withZip64(sizes: readonly number[], extra: Buffer, fail: Fail): number[] {
  if (!sizes.includes(inZip64)) return [...sizes];
  let field = 0;
  while (field + 4 <= extra.length && extra.readUInt16LE(field) !== 1) field += 4 + extra.readUInt16LE(field + 2);
  // Unpacked size, packed size, place: only those that are needed, in this order.
  let position = field + 4;
  const next = (size: number): number => {
    if (size !== inZip64) return size;
    if (position + 8 > extra.length) return fail("its archive's list of entries is damaged");
    position += 8;
    return Number(extra.readBigUInt64LE(position - 8));
  };
  const unpacked = next(sizes[1]!);
  const packed = next(sizes[0]!);
  return [packed, unpacked, next(sizes[2]!)];
}

function contentsOf(bytes: Buffer, name: string, { size, crc, start }: ZipEntry, fail: Fail): Buffer {
  const shown = JSON.stringify(name.slice(0, 200));
  if (start + 30 > bytes.length || bytes.readUInt32LE(start) !== localSignature) {
    return fail(`its entry ${shown} is not where the archive says`);
  }
  const first = start + 30 + bytes.readUInt16LE(start + 26) + bytes.readUInt16LE(start + 28);
  if (first + size > bytes.length) return fail(`its entry ${shown} is cut short`);
  const contents = bytes.subarray(first, first + size);
  if (crc32(contents) !== crc)
    return fail(`the checksum of its entry ${shown} is wrong: it is damaged, take another copy`);
  return contents;
}
