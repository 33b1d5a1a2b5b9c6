import {
  existsSync,
  linkSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { InputError } from "../errors";
import { makeFolder } from "./make-folder";
import { isUnfinished } from "./replace-file";
import { isSystemError, writeFailure } from "./write-failure";

/** File name of the lock in a folder. */
export const lockFile = "run.lock";

/** Who has a lock. */
const holderSchema = z.object({
  pid: z.number().int().positive(),
  /** When that process started, as the system counts; null where it does not tell. Another process of the same number has another. */
  started: z.string().nullable(),
  host: z.string(),
  /** ISO 8601. */
  since: z.string(),
  /** The job of Slurm that it works for, and how often Slurm had started that job again. */
  job: z.object({ cluster: z.string(), id: z.string(), restarts: z.number().int().nonnegative() }).optional(),
});

type Holder = z.infer<typeof holderSchema>;

/** Locks of this process, and how often each was taken. */
const held = new Map<string, number>();

/** More than any number of processes that find the same stale lock at once. */
const mostAttempts = 100;

/** A folder that this process alone may write to. */
export interface FolderLock {
  readonly release: () => void;
}

/**
 * Makes a folder this process's own until the lock is released, at the latest when the process exits. Within the process it
 * can be taken again. What a killed process has left half written there is removed.
 *
 * A lock whose process has gone, or whose number another process now has, does not count. Of a process on another machine
 * that is not known: on a folder that machines share, its lock counts until somebody deletes the file, unless this process works
 * for the same job of Slurm, which has been requeued since. There the lock also
 * rests on the file system's promise that of two links, or two new files, of one name only one is made, also between
 * machines: NFS from version 3 on gives it; what synchronizes copies of a folder (Dropbox and the like) does not. Two
 * containers with one host name take each other's processes for gone.
 *
 * @throws InputError if another process has the folder, naming it, or the folder cannot be written
 */
export function lockFolder(folder: string): FolderLock {
  let path = join(folder, lockFile);
  try {
    makeFolder(folder);
    path = join(realpathSync(folder), lockFile);
    if (!held.has(path)) {
      take(path, folder);
      removeUnfinished(folder);
    }
  } catch (error) {
    throw writeFailure(path, error, undefined, "Nothing was changed");
  }
  if (held.size === 0) process.on("exit", releaseAll);
  held.set(path, (held.get(path) ?? 0) + 1);
  let released = false;
  return {
    release: () => {
      if (released) return;
      released = true;
      const rest = (held.get(path) ?? 1) - 1;
      if (rest > 0) held.set(path, rest);
      else giveBack(path);
    },
  };
}

/** Does something with a folder locked. */
export async function whileLocked<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const lock = lockFolder(folder);
  try {
    return await work();
  } finally {
    lock.release();
  }
}

/**
 * Removes the lock of a process that has gone, and what it left half written, from a folder that is only read from here on. Where
 * another process has the folder, or it cannot be written, all stays as it is.
 */
export function removeStaleLock(folder: string): void {
  if (!existsSync(join(folder, lockFile))) return;
  try {
    lockFolder(folder).release();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
  }
}

function take(path: string, folder: string): void {
  const { pid } = process;
  const own: Holder = {
    pid,
    started: startOf(pid) ?? null,
    host: hostname(),
    since: new Date().toISOString(),
    job: slurmJob(),
  };
  for (let attempt = 0; attempt < mostAttempts; attempt++) {
    if (create(path, JSON.stringify(own))) return;
    const text = readIfThere(path);
    if (text === undefined) continue; // released since
    const holder = parseHolder(text);
    // One that is no lock was cut by a crash of the machine: a lock appears whole.
    if (holder !== undefined && mayRun(holder)) throw inUse(folder, path, holder);
    setAside(path, text);
  }
  throw new InputError(`Cannot lock the folder ${folder}: other processes take and leave it all the time`);
}

/** @returns false if there is a lock */
function create(path: string, text: string): boolean {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, text);
    try {
      // Not renamed: that would replace another's.
      linkSync(temporary, path);
    } catch (error) {
      if (!isSystemError(error) || !["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].includes(error.code)) throw error;
      writeFileSync(path, text, { flag: "wx" }); // the file system knows no second names
    }
    return true;
  } catch (error) {
    if (isSystemError(error) && error.code === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Removes a lock that does not count, unless another process has put its own in its place since it was read. */
function setAside(path: string, stale: string): void {
  const aside = `${path}.${process.pid}.stale`;
  try {
    renameSync(path, aside);
    if (readFileSync(aside, "utf8") !== stale) linkSync(aside, path);
  } catch (error) {
    // Another process was quicker.
    if (!isSystemError(error) || !["ENOENT", "EEXIST"].includes(error.code)) throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

function giveBack(path: string): void {
  held.delete(path);
  if (held.size === 0) process.off("exit", releaseAll);
  try {
    const holder = parseHolder(readIfThere(path) ?? "");
    if (holder?.pid === process.pid && holder.host === hostname()) rmSync(path, { force: true });
  } catch {
    // A lock that stays does not count once this process has gone.
  }
}

function releaseAll(): void {
  for (const path of [...held.keys()]) giveBack(path);
}

function removeUnfinished(folder: string): void {
  for (const name of readdirSync(folder).filter(isUnfinished)) rmSync(join(folder, name), { force: true });
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (isSystemError(error) && error.code === "ENOENT") return undefined;
    throw error;
  }
}

function parseHolder(text: string): Holder | undefined {
  try {
    return holderSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function mayRun({ pid, started, host, job }: Holder): boolean {
  if (host !== hostname()) return !wasRequeued(job);
  // Of this process, it would be among those it holds.
  if (pid === process.pid || !exists(pid)) return false;
  const now = startOf(pid);
  return now === undefined || started === null || now === started;
}

/** The job that this process works for, by the variables that Slurm sets; undefined outside one. */
function slurmJob(): Holder["job"] {
  const { SLURM_CLUSTER_NAME: cluster = "", SLURM_JOB_ID: id, SLURM_RESTART_COUNT: restarts = "0" } = process.env;
  return id !== undefined && /^\d+$/.test(restarts) ? { cluster, id, restarts: Number(restarts) } : undefined;
}

/**
 * Whether this process works for the same job, started again since: Slurm starts a job again only once it has ended it
 * everywhere. Two processes of one start, also on two nodes, have the same number of restarts.
 */
function wasRequeued(job: Holder["job"]): boolean {
  const own = slurmJob();
  return (
    own !== undefined &&
    job !== undefined &&
    own.id === job.id &&
    own.cluster === job.cluster &&
    own.restarts > job.restarts
  );
}

function exists(pid: number): boolean {
  if (stateOf(pid)?.state === "Z") return false; // killed, and its parent has not asked for its exit code yet
  try {
    process.kill(pid, 0); // sends nothing
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH"; // another user's
  }
}

/** When a process started: ticks since this boot of the machine. Undefined where the system does not tell. */
function startOf(pid: number): string | undefined {
  const ticks = stateOf(pid)?.started;
  return ticks === undefined ? undefined : `${readOrUndefined("/proc/sys/kernel/random/boot_id")?.trim()} ${ticks}`;
}

/** See proc_pid_stat(5): the second field is the program's name in parentheses, which may hold anything. */
function stateOf(pid: number): { readonly state: string; readonly started: string } | undefined {
  const text = readOrUndefined(`/proc/${pid}/stat`);
  const fields = text?.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state, started] = [fields?.[0], fields?.[19]];
  return state === undefined || started === undefined ? undefined : { state, started };
}

function readOrUndefined(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function inUse(folder: string, path: string, { pid, host, since }: Holder): InputError {
  const who = `Cannot use the folder ${folder}: process ${pid} on ${host} has worked in it since ${since}`;
  if (host === hostname()) return new InputError(`${who}. Wait until it ends, stop it, or use another folder`);
  return new InputError(
    `${who}. Whether it still runs cannot be seen from this machine: if it does not, delete ${path}; or use another folder`,
  );
}
