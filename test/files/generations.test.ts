import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { InputError } from "../../src/errors";
import { lockFolder } from "../../src/files/folder-lock";
import {
  forgetGenerations,
  previousOf,
  readGeneration,
  readIfWhole,
  readOrSetAside,
  restoreNewest,
  writeGeneration,
} from "../../src/files/generations";
import { isUnfinished } from "../../src/files/replace-file";
import { faultyCalls, withFault, type Fault } from "./faulty-files.cjs";

let folder: string;
let path: string;
let warnings: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "moco-generations-"));
  path = join(folder, "a.bin");
  warnings = [];
  vi.spyOn(console, "warn").mockImplementation((line: string) => void warnings.push(line));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

/** A file is whole if it ends in a period. */
function read(file: string): string {
  const text = readFileSync(file, "utf8");
  if (!text.endsWith(".")) throw new InputError(`Cannot read ${file}: it is cut`);
  return text;
}
const write = (text: string) => writeGeneration(path, Buffer.from(text));
const restore = () => restoreNewest(path, read);

describe("generations of a file", () => {
  it("are two: the newest and the one before", () => {
    for (const text of ["one.", "two.", "three."]) write(text);
    expect(readdirSync(folder).sort()).toEqual(["a.bin", "a.previous.bin"]);
    expect([read(path), read(previousOf(path))]).toEqual(["three.", "two."]);
    expect(restore()).toBe("three.");
    expect(warnings).toEqual([]);
  });

  it("go on from the one before when the newest is damaged, which is kept and named in one line", () => {
    for (const text of ["one.", "two.", "thr"]) write(text);
    expect(restore()).toBe("two.");
    expect(warnings).toEqual([
      `Cannot read ${path}: it is cut; it is kept as ${join(folder, "a.damaged.bin")}. Going on from the checkpoint before it.`,
    ]);
    // For good: what is written next leaves the good one beside it.
    write("new.");
    expect([read(path), read(previousOf(path))]).toEqual(["new.", "two."]);
    expect(restore()).toBe("new.");
    expect(warnings).toHaveLength(1);
  });

  it("go on from the one before when the newest is gone", () => {
    write("one.");
    write("two.");
    rmSync(path);
    expect(restore()).toBe("one.");
    expect(warnings).toEqual([`There is no ${path}. Going on from the checkpoint before it.`]);
    expect(readdirSync(folder)).toEqual(["a.bin"]);
  });

  it("start anew, in one line of warning, when all are damaged, and without one when there is none", () => {
    expect(restore()).toBeUndefined();
    expect(warnings).toEqual([]);
    write("o");
    write("t");
    expect(restore()).toBeUndefined();
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/^Cannot read .*a\.bin: it is cut; it is kept as .*starting anew\.$/);
    expect(warnings[0]).not.toContain("\n");
    expect(readdirSync(folder)).toEqual(["a.damaged.bin"]);
  });

  it("are not taken for damaged when reading fails in another way", () => {
    write("one.");
    const broken = () => {
      throw new TypeError("no function");
    };
    expect(() => restoreNewest(path, broken)).toThrow(TypeError);
    expect(readdirSync(folder)).toEqual(["a.bin"]);
  });

  it("are left as they are by reading, which names the one before", () => {
    write("one.");
    write("t");
    expect(() => readGeneration(path, read)).toThrow(
      `Cannot read ${path}: it is cut. The checkpoint before it is ${previousOf(path)}`,
    );
    rmSync(previousOf(path));
    expect(() => readGeneration(path, read)).toThrow(/it is cut$/);
    expect(readdirSync(folder)).toEqual(["a.bin"]);
    writeFileSync(path, "whole.");
    expect(readGeneration(path, read)).toBe("whole.");
  });

  it("are forgotten all at once, and nothing else", () => {
    for (const file of ["a.bin", "a.previous.bin", "a.damaged.bin", "other"]) writeFileSync(join(folder, file), "");
    forgetGenerations(path);
    expect(readdirSync(folder)).toEqual(["other"]);
  });

  it("that can be made again are set aside when they are damaged, in one line of warning", () => {
    expect(readOrSetAside(path, read)).toBeUndefined();
    writeFileSync(path, "whole.");
    expect(readOrSetAside(path, read)).toBe("whole.");
    expect(warnings).toEqual([]);
    writeFileSync(path, "cu");
    expect(readIfWhole(path, read)).toBeUndefined();
    expect(readdirSync(folder)).toEqual(["a.bin"]);
    expect(readOrSetAside(path, read)).toBeUndefined();
    expect(readdirSync(folder)).toEqual(["a.damaged.bin"]);
    expect(warnings).toEqual([
      `Cannot read ${path}: it is cut. Made again now; the damaged file is kept as ${join(folder, "a.damaged.bin")}.`,
    ]);
  });

  it("never lose the last good one, whichever call fails and however", () => {
    const faults = ["ENOSPC", "EIO", "EROFS"];
    for (const call of faultyCalls) {
      for (const fault of faults) {
        for (let at = 1; ; at++) {
          for (const file of readdirSync(folder)) rmSync(join(folder, file));
          write("one.");
          write("two.");
          const { calls, error } = withFault({ call, at, fault }, () => write("three."));
          expect(existsSync(path) || existsSync(previousOf(path))).toBe(true);
          const rest = restore();
          if (error === undefined) expect(rest).toBe("three.");
          else {
            expect(error).toBeInstanceOf(InputError);
            expect(["two.", "three."]).toContain(rest);
          }
          write("four.");
          expect(restore()).toBe("four.");
          if (calls < at) break;
        }
      }
    }
  });

  it("never lose the last good one by a kill, at whichever call", () => {
    const program = `require(${JSON.stringify(join(__dirname, "..", "..", "dist", "files", "generations.js"))})
      .writeGeneration(process.argv[1], Buffer.from("three."));`;
    const faults = join(__dirname, "faulty-files.cjs");
    const kill = (fault: Fault) =>
      spawnSync(process.execPath, ["--require", faults, "-e", program, path], {
        env: { ...process.env, MOCO_TEST_FAULT: JSON.stringify({ path: folder, ...fault }) },
      }).signal;
    const seen = new Set<string | undefined>();
    for (const call of ["openSync", "writeSync", "fsyncSync", "linkSync", "renameSync"] as const) {
      for (const fault of [{ fault: "kill" }, { fault: "killAfter" }, { fault: "kill", kept: 3 }] as const) {
        if ("kept" in fault && call !== "writeSync") continue;
        for (const file of readdirSync(folder)) rmSync(join(folder, file));
        write("one.");
        write("two.");
        expect(kill({ call, ...fault }), `${call} ${fault.fault}`).toBe("SIGKILL");
        lockFolder(folder).release();
        expect(readdirSync(folder).filter(isUnfinished)).toEqual([]);
        const rest = restore();
        seen.add(rest);
        write("four.");
        expect([read(path), read(previousOf(path))]).toEqual(["four.", rest]);
      }
    }
    // Only the kill after the rename comes too late for the old one.
    expect([...seen].sort()).toEqual(["three.", "two."]);
    expect(warnings).toEqual([]);
  });
});
