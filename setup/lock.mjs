/** One set-up at a time in a folder. The lock of a set-up that was killed is taken over. */
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { signalGroup } from "./command.mjs";

const WAIT_MS = 200;

/**
 * Takes the lock, waiting while another set-up holds it.
 *
 * @param file - where the lock lies
 * @param onWait - told the process id of the set-up waited for, once
 * @returns `noteChild(pid)`, which names the child at work, and `release()`
 */
export async function takeLock(file, onWait) {
  mkdirSync(dirname(file), { recursive: true });
  const own = `${file}.${process.pid}`;
  const self = reference(process.pid);
  let told = false;
  for (;;) {
    writeFileSync(own, JSON.stringify(self));
    try {
      // A hard link appears whole or not at all, and never replaces a lock that is there.
      linkSync(own, file);
      rmSync(own);
      break;
    } catch (error) {
      rmSync(own, { force: true });
      if (error.code !== "EEXIST") throw error;
    }
    const text = readLock(file);
    if (text === undefined) continue;
    const holder = parse(text);
    if (holder !== undefined && isAlive(holder)) {
      if (!told) onWait(holder.pid);
      told = true;
      await pause(WAIT_MS);
    } else {
      await removeStale(file, own, text, holder);
    }
  }
  return {
    noteChild(pid) {
      writeFileSync(own, JSON.stringify({ ...self, child: reference(pid) }));
      renameSync(own, file);
    },
    release() {
      rmSync(file, { force: true });
    },
  };
}

/** Removes the lock of a set-up that is gone, and ends the child that it left at work. */
async function removeStale(file, own, text, holder) {
  const aside = `${own}.stale`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if (error.code === "ENOENT") return;
    throw error;
  }
  if (readLock(aside) !== text) {
    // Another set-up took the stale lock over in between: give its lock back.
    try {
      linkSync(aside, file);
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    rmSync(aside);
    return;
  }
  rmSync(aside);
  const child = holder?.child;
  if (child !== undefined && isAlive(child)) {
    signalGroup(child.pid, "SIGKILL");
    while (isAlive(child)) await pause(WAIT_MS);
  }
}

function readLock(file) {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw error;
  }
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Names a process so that a later one with the same id is not taken for it. */
function reference(pid) {
  return { pid, started: processStart(pid) ?? null };
}

function isAlive({ pid, started }) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error.code === "ESRCH") return false;
  }
  const now = processStart(pid);
  return now !== "ended" && (started === null || now === started);
}

/** When a process started, in clock ticks since boot; "ended" for a zombie; undefined where there is no /proc. */
function processStart(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field, the command in brackets, may hold blanks. State is field 3, the start time field 22.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? "ended" : fields[19];
  } catch {
    return undefined;
  }
}

function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
