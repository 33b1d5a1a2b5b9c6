import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { InputError } from "../../src/errors";
import { isUnfinished, replaceFile } from "../../src/files/replace-file";
import { faultyCalls, withFault } from "./faulty-files.cjs";

let folder: string;
let path: string;
let previous: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "moco-files-"));
  path = join(folder, "a file's näme.bin");
  previous = join(folder, "previous.bin");
});
afterEach(() => rmSync(folder, { recursive: true }));

const old = Buffer.alloc(300, 1);
const fresh = Buffer.from(Array.from({ length: 500 }, (_, index) => index % 251));
const read = () => readFileSync(path);

/** Replaces the file with a fault put in, and checks that the error is one for people. */
function refused(fault: Parameters<typeof withFault>[0], options?: Parameters<typeof replaceFile>[2]): string {
  const { error } = withFault(fault, () => replaceFile(path, fresh, options));
  expect(error, JSON.stringify(fault)).toBeInstanceOf(InputError);
  const { message } = error as InputError;
  expect(message).toContain(`Cannot write ${path}: `);
  expect(readdirSync(folder).filter(isUnfinished), JSON.stringify(fault)).toEqual([]);
  return message;
}

describe("replaceFile", () => {
  it("makes the folder, writes text or bytes, and leaves nothing else", () => {
    path = join(folder, "deep", "er", "file");
    replaceFile(path, "Zeichen: é");
    expect(readFileSync(path, "utf8")).toBe("Zeichen: é");
    replaceFile(path, fresh);
    expect(read()).toEqual(fresh);
    replaceFile(path, new Uint8Array(0));
    expect(read()).toHaveLength(0);
    expect(readdirSync(join(folder, "deep", "er"))).toEqual(["file"]);
  });

  it("keeps the file before where it is told to", () => {
    replaceFile(path, old, { previous });
    expect(existsSync(previous)).toBe(false);
    replaceFile(path, fresh, { previous });
    expect([read(), readFileSync(previous)]).toEqual([fresh, old]);
    replaceFile(path, "third", { previous });
    expect([read().toString(), readFileSync(previous)]).toEqual(["third", fresh]);
  });

  it("keeps the file before also where the file system knows no second names", () => {
    replaceFile(path, old);
    const { error } = withFault({ call: "linkSync", fault: "EPERM" }, () => replaceFile(path, fresh, { previous }));
    expect(error).toBeUndefined();
    expect([read(), readFileSync(previous)]).toEqual([fresh, old]);
  });

  it("writes all bytes when the system takes them piece by piece", () => {
    const { calls, error } = withFault({ call: "writeSync", fault: "short" }, () => replaceFile(path, fresh));
    expect(error).toBeUndefined();
    expect(calls).toBeGreaterThan(5);
    expect(read()).toEqual(fresh);
  });

  it("keeps the old file whole when the disk is full after any number of bytes", () => {
    for (const before of [old, undefined]) {
      rmSync(path, { force: true });
      if (before) writeFileSync(path, before);
      for (let bytes = 0; bytes < fresh.length; bytes++) {
        const message = refused({ call: "writeSync", bytes, fault: "ENOSPC" }, { previous });
        expect(message).toMatch(/the disk is full \(ENOSPC\); it needs 500 bytes, free are \d+\. /);
        expect(message).toMatch(before ? /What was there before is kept\. Free space there/ : /There was none before/);
        expect(existsSync(path) ? read() : undefined).toEqual(before);
        expect(existsSync(previous)).toBe(false);
      }
    }
    replaceFile(path, fresh);
    expect(read()).toEqual(fresh);
  });

  it("keeps the old file or the new one, whole, when any call fails in any way", () => {
    const options = { previous };
    let tried = 0;
    for (const call of faultyCalls) {
      const set = () => {
        writeFileSync(path, old);
        rmSync(previous, { force: true });
      };
      set();
      const { calls } = withFault({ call, at: 1e9, fault: "EIO" }, () => replaceFile(path, fresh, options));
      expect(calls, call).toBeGreaterThan(0);
      for (const fault of ["EIO", "EDQUOT", "EROFS", "EACCES", "ENOENT"]) {
        for (let at = 1; at <= calls; at++) {
          for (const until of [at, undefined]) {
            set();
            const one = { call, at, fault, ...(until && { until }) };
            const { error } = withFault(one, () => replaceFile(path, fresh, options));
            const left = existsSync(path) ? read() : readFileSync(previous);
            const whole = error === undefined ? [fresh] : [old, fresh];
            expect(whole, JSON.stringify(one)).toContainEqual(left);
            if (error !== undefined) {
              expect(error).toBeInstanceOf(InputError);
              expect((error as InputError).message).toContain(`(${fault})`);
            }
            // A descriptor whose closing fails is the system's; the name is still removed.
            expect(readdirSync(folder).filter(isUnfinished), JSON.stringify(one)).toEqual([]);
            tried++;
          }
        }
      }
    }
    expect(tried).toBeGreaterThan(80);
  });

  it("notices a disk that writes other bytes than it was given, and keeps the old file", () => {
    writeFileSync(path, old);
    expect(refused({ call: "writeSync", fault: "flip" }, { previous })).toMatch(/the disk failed \(EIO\)/);
    expect(read()).toEqual(old);
  });

  it("says that the new file may not outlast a power failure when its folder cannot be forced to the disk", () => {
    writeFileSync(path, old);
    expect(refused({ call: "fsyncSync", at: 2, fault: "EIO" })).toMatch(/is in place, but may not outlast/);
    expect(read()).toEqual(fresh);
  });

  it("does without forcing a folder to the disk where the file system has no such thing", () => {
    for (const fault of ["EINVAL", "ENOTSUP"]) {
      expect(withFault({ call: "fsyncSync", at: 2, fault }, () => replaceFile(path, fresh)).error).toBeUndefined();
    }
  });

  it("names a folder that has the file's name, and a file that has the folder's", () => {
    mkdirSync(path);
    expect(() => replaceFile(path, fresh)).toThrow(/Cannot write .*a folder has its name \(EISDIR\).*/);
    writeFileSync(join(folder, "file"), "");
    expect(() => replaceFile(join(folder, "file", "inside"), fresh)).toThrow(InputError);
  });

  it("survives a real limit of a file's size, and says so", () => {
    const program = `
      const { replaceFile } = require(${JSON.stringify(join(__dirname, "..", "..", "dist", "files", "replace-file.js"))});
      try { replaceFile(process.argv[1], Buffer.alloc(10000, 7)); } catch (error) { console.log(error.name + ": " + error.message); }`;
    writeFileSync(path, old);
    // In blocks of 512 or 1024 bytes: less than the file needs.
    const output = execFileSync("sh", ["-c", 'ulimit -f 4; exec "$0" -e "$1" "$2"', process.execPath, program, path]);
    expect(output.toString()).toMatch(/^InputError: Cannot write .*: a file must not be so large there \(EFBIG\)/);
    expect(read()).toEqual(old);
    expect(readdirSync(folder)).toHaveLength(1);
  });
});
