import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { projectRoot } from "../../src/cli/project";
import { makeFolder } from "../../src/files/make-folder";

const root = mkdtempSync(join(tmpdir(), "moco-folders-"));
afterAll(() => rmSync(root, { recursive: true }));

const code = (make: () => void) => {
  try {
    make();
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
  return undefined;
};

describe("makeFolder", () => {
  it("makes what is missing, and leaves what is there", () => {
    const folder = join(root, "a", "b", "c");
    makeFolder(folder);
    makeFolder(folder);
    expect(existsSync(folder)).toBe(true);
  });

  it("says why where it cannot, and comes to an end", () => {
    writeFileSync(join(root, "file"), "");
    symlinkSync(join(root, "gone"), join(root, "link"));
    expect(code(() => makeFolder(join(root, "file")))).toBe("EEXIST");
    expect(code(() => makeFolder(join(root, "file", "in", "it")))).toBe("ENOTDIR");
    expect(code(() => makeFolder(join(root, "link", "in", "it")))).toBe("ENOENT");
    if (existsSync("/proc")) expect(code(() => makeFolder("/proc/nowhere/runs"))).toBe("ENOENT");
  });

  it("does not mind another process that makes the same folder", async () => {
    const script =
      "const { makeFolder } = require(process.argv[1]);" +
      "for (let n = 0; n < 300; n++) makeFolder(`${process.argv[2]}/${n}/runs/one`);";
    const words = ["-e", script, join(projectRoot, "dist", "files", "make-folder.js"), join(root, "shared")];
    await Promise.all([1, 2, 3].map(() => promisify(execFile)(process.execPath, words)));
    expect(existsSync(join(root, "shared", "299", "runs", "one"))).toBe(true);
  });
});
