import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { InputError } from "../../src/errors";
import { lockFile, lockFolder, whileLocked } from "../../src/files/folder-lock";
import { withFault } from "./faulty-files.cjs";

const built = JSON.stringify(join(__dirname, "..", "..", "dist", "files", "folder-lock.js"));

let folder: string;
let lock: string;
let children: ChildProcess[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "moco-lock-"));
  lock = join(folder, lockFile);
  children = [];
});
afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(folder, { recursive: true });
});

/** A process that takes the lock, says so, and does something more. */
async function other(then: string): Promise<ChildProcess> {
  const program = `const { lockFolder } = require(${built}); lockFolder(${JSON.stringify(folder)}); console.log("taken"); ${then}`;
  const child = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  await once(child.stdout, "data");
  return child;
}
const stays = "setInterval(() => {}, 1000);";

const holder = () => JSON.parse(readFileSync(lock, "utf8")) as { pid: number; started: string; host: string };
const taken = () => {
  lockFolder(folder).release();
  expect(existsSync(lock)).toBe(false);
};

describe("the lock of a folder", () => {
  it("names its process while it is held, is taken again within it, and leaves nothing", () => {
    const first = lockFolder(folder);
    expect(holder()).toMatchObject({ pid: process.pid, host: hostname() });
    const second = lockFolder(join(folder, ".", "deep", ".."));
    first.release();
    first.release();
    expect(existsSync(lock)).toBe(true);
    second.release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("makes the folder", () => {
    const inside = join(folder, "a", "b");
    lockFolder(inside).release();
    expect(readdirSync(inside)).toEqual([]);
  });

  it("is released after an error", async () => {
    await expect(whileLocked(folder, () => Promise.reject(new Error("failed")))).rejects.toThrow("failed");
    expect(existsSync(lock)).toBe(false);
    expect(await whileLocked(folder, () => Promise.resolve(existsSync(lock)))).toBe(true);
  });

  it("refuses a second process and names the first, until that has ended", async () => {
    const child = await other(stays);
    expect(() => lockFolder(folder)).toThrow(InputError);
    expect(() => lockFolder(folder)).toThrow(
      new RegExp(`Cannot use the folder ${folder}: process ${child.pid} on ${hostname()} has worked in it since \\d`),
    );
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(existsSync(lock)).toBe(true);
    taken();
  });

  it("is released when its process exits, also by process.exit and by an error", async () => {
    for (const end of [
      "",
      "process.exit(3);",
      "process.on('uncaughtException', () => process.exit()); throw new Error();",
    ]) {
      const child = await other(end);
      if (child.exitCode === null) await once(child, "exit");
      expect(existsSync(lock), end).toBe(false);
    }
  });

  it("does not count when its process is killed but not yet buried", async () => {
    // A parent that never asks for its child's exit code.
    const program = `const { lockFolder } = require(${built}); lockFolder(${JSON.stringify(folder)}); process.kill(process.pid, "SIGKILL")`;
    const parent = spawn("sh", ["-c", `"$0" -e "$1" & exec sleep 60`, process.execPath, program], { stdio: "ignore" });
    children.push(parent);
    await expect
      .poll(() => existsSync(lock) && readFileSync(`/proc/${holder().pid}/stat`, "utf8").includes(") Z "))
      .toBe(true);
    taken();
  });

  it("does not count when another process has its number", async () => {
    const child = await other(stays);
    writeFileSync(lock, JSON.stringify({ ...holder(), started: holder().started.replace(/\d+$/, "1") }));
    taken();
    // Nor this one's own number, left by one before it.
    writeFileSync(lock, JSON.stringify({ pid: process.pid, started: null, host: hostname(), since: "2020" }));
    taken();
    child.kill();
  });

  it("counts where the system does not tell when a process started, as long as there is one of its number", async () => {
    const child = await other(stays);
    writeFileSync(lock, JSON.stringify({ ...holder(), started: null }));
    expect(() => lockFolder(folder)).toThrow(InputError);
    child.kill();
    await once(child, "exit");
    taken();
  });

  it("of another machine counts, and says what to do", () => {
    writeFileSync(lock, JSON.stringify({ pid: 1, started: "x", host: "elsewhere", since: "2020" }));
    expect(() => lockFolder(folder)).toThrow(
      `process 1 on elsewhere has worked in it since 2020. Whether it still runs cannot be seen from this machine: if it does not, delete ${lock}`,
    );
    expect(holder().host).toBe("elsewhere");
  });

  it("of another machine does not count for the same job of Slurm, once it was requeued", () => {
    const had = { pid: 1, started: "x", host: "elsewhere", since: "2020" };
    const lockOf = (job?: object) => writeFileSync(lock, JSON.stringify({ ...had, job }));
    const earlier = { cluster: "c", id: "23", restarts: 0 };
    vi.stubEnv("SLURM_CLUSTER_NAME", "c");
    vi.stubEnv("SLURM_JOB_ID", "23");
    try {
      // The same start of the job, perhaps on two nodes.
      lockOf(earlier);
      expect(() => lockFolder(folder)).toThrow(InputError);
      vi.stubEnv("SLURM_RESTART_COUNT", "1");
      for (const other of [
        undefined,
        { ...earlier, id: "24" },
        { ...earlier, cluster: "d" },
        { ...earlier, restarts: 1 },
      ]) {
        lockOf(other);
        expect(() => lockFolder(folder)).toThrow(InputError);
      }
      lockOf(earlier);
      const { release } = lockFolder(folder);
      expect(holder()).toMatchObject({ host: hostname(), job: { cluster: "c", id: "23", restarts: 1 } });
      release();
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it("does not count when it was cut by a crash of the machine", () => {
    for (const text of ["", '{"pid": 1', "[]", '{"pid": -1}']) {
      writeFileSync(lock, text);
      taken();
    }
  });

  it("is had by one of many processes that find the same stale lock at once", () => {
    writeFileSync(lock, JSON.stringify({ pid: 2 ** 22 + 1, started: "x", host: hostname(), since: "2020" }));
    // Who has it waits until the others have told that they do not, however slowly they start.
    const told = mkdtempSync(join(tmpdir(), "moco-lock-told-"));
    const program = `const { lockFolder } = require(${built});
      const fs = require("node:fs");
      const [start, told] = process.argv.slice(1);
      while (Date.now() < Number(start)) {}
      try {
        lockFolder(${JSON.stringify(folder)});
        console.log("taken");
        const end = Date.now() + 20_000;
        setInterval(() => (fs.readdirSync(told).length >= 5 || Date.now() > end) && process.exit(), 20);
      } catch (error) {
        console.log(error.name);
        fs.writeFileSync(told + "/" + process.pid, "");
      }`;
    const script = 'for i in 1 2 3 4 5 6; do "$0" -e "$1" "$2" "$3" & done; wait';
    const { stdout } = spawnSync("sh", ["-c", script, process.execPath, program, String(Date.now() + 500), told]);
    rmSync(told, { recursive: true });
    const words = stdout.toString().trim().split("\n").sort();
    expect(words).toEqual(["InputError", "InputError", "InputError", "InputError", "InputError", "taken"]);
    expect(readdirSync(folder)).toEqual([]);
  });

  it("is taken also where the file system knows no second names", async () => {
    const fault = { call: "linkSync", fault: "EPERM" } as const;
    expect(withFault(fault, taken).error).toBeUndefined();
    await other(stays);
    expect(withFault(fault, () => lockFolder(folder)).error).toBeInstanceOf(InputError);
  });

  it("says when the folder cannot be written", () => {
    for (const code of ["EROFS", "EACCES", "ENOSPC"]) {
      const { error } = withFault({ call: "linkSync", fault: code }, () => lockFolder(folder));
      expect(error).toBeInstanceOf(InputError);
      expect((error as Error).message).toMatch(
        new RegExp(`Cannot write .*${lockFile}: .*\\(${code}\\)\\. Nothing was changed`),
      );
    }
    const { error } = withFault({ call: "mkdirSync", fault: "ENOENT" }, () => lockFolder(join(folder, "inside")));
    expect(error).toBeInstanceOf(InputError);
  });

  it("removes what a killed process has left half written, and nothing else", () => {
    for (const name of ["checkpoint.safetensors.123.moco-tmp", "notes.tmp", "a.123.tmp"]) {
      writeFileSync(join(folder, name), "");
    }
    taken();
    expect(readdirSync(folder).sort()).toEqual(["a.123.tmp", "notes.tmp"]);
  });
});
