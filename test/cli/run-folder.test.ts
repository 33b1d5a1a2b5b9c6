import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { prepareFolder } from "../../src/cli/run-folder";
import { InputError } from "../../src/errors";

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "moco-folder-"))));
afterEach(() => rmSync(folder, { recursive: true }));

it("the folder of a run is made, or named with what is wrong and what to do", () => {
  expect(() => prepareFolder(join(folder, "deep", "er"))).not.toThrow();
  symlinkSync(join(folder, "gone"), join(folder, "runs"));
  writeFileSync(join(folder, "file"), "");
  for (const [name, problem] of [
    ["runs/one", "its folder does not exist (ENOENT). Make the folder, or choose another one by --output"],
    ["file/one", "what should be its folder is a file (ENOTDIR). Choose another folder by --output"],
  ] as const) {
    const path = join(folder, name);
    expect(() => prepareFolder(path)).toThrow(InputError);
    expect(() => prepareFolder(path)).toThrow(`Cannot write the run in ${path}: ${problem}`);
  }
});

it.runIf(process.platform === "linux")("a folder where none can be made is refused, without an end of tries", () => {
  expect(() => prepareFolder("/proc/nowhere/runs/one")).toThrow("its folder does not exist (ENOENT)");
});
