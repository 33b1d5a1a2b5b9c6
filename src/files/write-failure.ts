import { statfsSync } from "node:fs";
import { dirname } from "node:path";
import { InputError } from "../errors";

/** Why the system refuses to write, and what to do, by the code of its error. */
const reasons: Readonly<Record<string, readonly [reason: string, advice: string]>> = {
  ENOSPC: ["the disk is full", "Free space there, or choose another folder"],
  EDQUOT: ["your quota is used up", "Delete files of yours there, or choose another folder"],
  EROFS: ["its file system can only be read", "Choose another folder"],
  EACCES: ["there is no permission to", "Change the permissions of the folder, or choose another one"],
  EPERM: ["there is no permission to", "Change the permissions of the folder, or choose another one"],
  EIO: ["the disk failed", "Check the disk, or choose a folder on another one"],
  ENOENT: ["its folder does not exist", "Make the folder, or choose another one"],
  ENOTDIR: ["what should be its folder is a file", "Choose another folder"],
  EISDIR: ["a folder has its name", "Move that folder away, or choose another one"],
  EFBIG: ["a file must not be so large there", "Raise the limit (ulimit -f), or choose another file system"],
  EMFILE: ["too many files are open", "Raise the limit (ulimit -n)"],
  ENFILE: ["too many files are open on the machine", "Close other programs"],
};

/** Whether the operating system gave this error. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException & { readonly code: string } {
  return error instanceof Error && "syscall" in error && typeof (error as NodeJS.ErrnoException).code === "string";
}

/**
 * The error of a file that could not be written, for people.
 *
 * @param bytes - what the file needs, if that matters
 * @param kept - what is left of it, a sentence without its period
 * @returns the error itself if it is not the system's
 */
export function writeFailure(path: string, error: unknown, bytes: number | undefined, kept: string): Error {
  if (!isSystemError(error)) return error as Error;
  const [reason, advice] = reasonOf(error);
  const size = bytes === undefined ? "" : `; it needs ${bytes} bytes${freeBytes(dirname(path))}`;
  return new InputError(`Cannot write ${path}: ${reason}${size}. ${kept}. ${advice}, then run the same again`, {
    cause: error,
  });
}

/** Why the system gave an error, with its code, and what to do. */
export function reasonOf(error: NodeJS.ErrnoException & { readonly code: string }): readonly [string, string] {
  const known = reasons[error.code];
  return known ? [`${known[0]} (${error.code})`, known[1]] : [error.message, "Choose another folder"];
}

function freeBytes(folder: string): string {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return `, free are ${bavail * bsize}`;
  } catch {
    return ""; // no such folder, or a system that does not tell
  }
}
