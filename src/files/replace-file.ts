import { closeSync, existsSync, fsyncSync, linkSync, openSync, readSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { makeFolder } from "./make-folder";
import { isSystemError, writeFailure } from "./write-failure";

/** Bytes that are written, or read back, at once. Node takes no more than 2 GiB. */
const chunkBytes = 2 ** 24;

export interface ReplaceOptions {
  /** Where the file that was there goes to, beside the new one; else it is gone. */
  readonly previous?: string;
}

/**
 * Replaces a file durably, and makes its folder if there is none. Whatever happens meanwhile, a full disk, a kill or a
 * power failure, the old file or the new one is there and whole; when the call has returned, it is the new one.
 *
 * The new file is written beside the old one, forced to the disk and read back before it takes the old one's place.
 *
 * @throws InputError if the system refuses: says what could not be written, what it needs, what is kept and what to do
 */
export function replaceFile(path: string, content: string | Uint8Array, { previous }: ReplaceOptions = {}): void {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  const temporary = `${path}.${process.pid}.moco-tmp`;
  let replaced = false;
  try {
    makeFolder(dirname(path));
    writeWhole(temporary, bytes);
    if (previous !== undefined && existsSync(path)) keepAs(previous, path);
    renameSync(temporary, path);
    replaced = true;
    syncFolder(dirname(path));
  } catch (error) {
    removeIfPossible(temporary);
    throw writeFailure(path, error, bytes.length, describeKept(path, replaced, previous));
  }
}

/** Whether this is the name of a file that {@link replaceFile} had not finished when its process was killed. */
export function isUnfinished(name: string): boolean {
  return /\.\d+\.moco-tmp$/.test(name);
}

function writeWhole(path: string, bytes: Uint8Array): void {
  const file = openSync(path, "w+");
  try {
    for (let done = 0; done < bytes.length;) {
      // The system may take less than it is given, as the last bytes of a disk.
      const written = writeSync(file, bytes, done, Math.min(chunkBytes, bytes.length - done), done);
      if (written === 0) throw systemError("EIO", "write", "no byte was written");
      done += written;
    }
    fsyncSync(file);
    assertHolds(file, bytes);
  } finally {
    closeSync(file);
  }
}

/** Proves a new file before the old one goes. */
function assertHolds(file: number, bytes: Uint8Array): void {
  const chunk = Buffer.alloc(Math.min(chunkBytes, bytes.length + 1));
  let position = 0;
  for (;;) {
    const count = readSync(file, chunk, 0, chunk.length, position);
    const expected = bytes.subarray(position, position + count);
    if (expected.length !== count || chunk.compare(expected, 0, count, 0, count) !== 0) break;
    if (count === 0) {
      if (position === bytes.length) return;
      break;
    }
    position += count;
  }
  throw systemError("EIO", "read", "the file that was written reads back otherwise");
}

function keepAs(previous: string, path: string): void {
  rmSync(previous, { force: true });
  try {
    // A second name: the old file keeps its own until the new one takes it.
    linkSync(path, previous);
  } catch {
    renameSync(path, previous); // the file system knows no second names
  }
}

/** A rename is on the disk once its folder is. */
function syncFolder(folder: string): void {
  // Windows opens no folders.
  if (process.platform === "win32") return;
  const file = openSync(folder, "r");
  try {
    fsyncSync(file);
  } catch (error) {
    // Some network file systems have no such thing.
    if (!isSystemError(error) || !["EINVAL", "ENOTSUP"].includes(error.code)) throw error;
  } finally {
    closeSync(file);
  }
}

function removeIfPossible(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // The error that led here says more.
  }
}

function describeKept(path: string, replaced: boolean, previous: string | undefined): string {
  if (replaced) return "The new file is in place, but may not outlast a power failure";
  if (existsSync(path)) return "What was there before is kept";
  if (previous !== undefined && existsSync(previous)) return `What was there before is kept as ${previous}`;
  return "There was none before";
}

function systemError(code: string, syscall: string, message: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${message}`), { code, syscall });
}
