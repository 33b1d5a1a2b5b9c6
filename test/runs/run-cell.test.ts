import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { InterruptedError } from "../../src/errors";
import { lockFile } from "../../src/files/folder-lock";
import { joinParts } from "../../src/data/image-data";
import type { ImageData, PixelSet } from "../../src/data/image-set";
import { pretrainCell, runCell, runRecordFile } from "../../src/runs/run-cell";
import { presetNamed } from "../../src/recipes/presets";
import { tinyData, tinyRecipe } from "../train/tiny";

let root: string;
beforeEach(() => void (root = mkdtempSync(join(tmpdir(), "moco-run-cell-"))));
afterEach(() => rmSync(root, { recursive: true }));

const preset = { ...presetNamed("smoke"), knn: { k: 3, temperature: 0.1 } };
const recipe = tinyRecipe({ dataset: "folder:some-images" });

/** Steps that are trained until the run is there. */
async function stepsToRun(data: ImageData<PixelSet>): Promise<number> {
  let steps = 0;
  await runCell(recipe, 1, data, preset, { root, onProgress: () => void steps++ });
  return steps;
}

/** The same images but for one value of one pixel. */
function withOneValueChanged({ name, train, validation, test }: ImageData<PixelSet>): ImageData<PixelSet> {
  const pixels = Uint8Array.from(train.pixels);
  pixels[0] = (pixels[0]! + 1) % 256;
  return joinParts(name, { ...train, pixels }, validation, test);
}

describe("runCell", () => {
  it("finds a finished run again, and trains anew where an image of the same path has changed", async () => {
    const data = tinyData();
    expect(await stepsToRun(data)).toBe(6);
    expect(await stepsToRun(data)).toBe(0);
    expect(await stepsToRun(withOneValueChanged(data))).toBe(6);
    expect(await stepsToRun(data)).toBe(0);
    expect(readdirSync(root)).toHaveLength(2);
  });

  it("leaves no lock of a process that was killed after it had written the run, and one of a process that lives", async () => {
    const data = tinyData();
    await runCell(recipe, 1, data, preset, { root });
    const folder = join(root, readdirSync(root)[0]!);
    const whole = readdirSync(folder);
    const holder = { started: null, host: hostname(), since: "2026-01-01T00:00:00.000Z" };
    const findIt = async (pid: number) => {
      writeFileSync(join(folder, lockFile), JSON.stringify({ ...holder, pid }));
      expect(await stepsToRun(data)).toBe(0);
      return readdirSync(folder);
    };
    expect(await findIt(2 ** 22 + 1)).toEqual(whole); // more than Linux gives
    expect(await findIt(process.ppid)).toContain(lockFile);
  });

  it("evaluates a finished training again where its record is damaged, to the same numbers", async () => {
    const data = tinyData();
    const whole = await runCell(recipe, 1, data, preset, { root });
    const [folder] = readdirSync(root);
    const path = join(root, folder!, runRecordFile);
    const text = readFileSync(path, "utf8");
    const warn = vi.spyOn(console, "warn").mockReturnValue();
    for (const damaged of ["", "{oops", text.slice(0, text.length >> 1), text.replace('"seed":1', '"seed":2')]) {
      writeFileSync(path, damaged);
      warn.mockClear();
      const again = await runCell(recipe, 1, data, preset, { root, onProgress: () => expect.unreachable() });
      expect(warn.mock.calls).toEqual([
        [expect.stringMatching(/^Cannot read the run .*run\.json: .* Made again now; /)],
      ]);
      expect({ ...again, manifest: undefined }).toEqual({ ...whole, manifest: undefined });
      expect(readFileSync(join(root, folder!, "run.damaged.json"), "utf8")).toBe(damaged);
    }
    warn.mockRestore();
  });
});

describe("pretrainCell", () => {
  it("leaves what runCell only evaluates, to the numbers of a run in one piece, also where it was interrupted", async () => {
    const data = tinyData();
    const whole = await runCell(recipe, 1, data, preset, { root: join(root, "whole") });
    const options = { root: join(root, "halves"), checkpointSeconds: 0.001 };

    let steps = 0;
    const stopped = pretrainCell(recipe, 1, data, preset, {
      ...options,
      onProgress: () => void steps++,
      stopRequested: () => steps === 2,
    });
    await expect(stopped).rejects.toThrow(InterruptedError);
    const directory = await pretrainCell(recipe, 1, data, preset, { ...options, onProgress: () => void steps++ });
    expect(steps).toBe(6);
    expect(readdirSync(directory)).not.toContain(runRecordFile);

    const evaluated = await runCell(recipe, 1, data, preset, { ...options, onProgress: () => expect.unreachable() });
    expect(evaluated.manifest.encoder).toBe(whole.manifest.encoder);
    expect({ ...evaluated, manifest: undefined }).toEqual({ ...whole, manifest: undefined });
    expect(await pretrainCell(recipe, 1, data, preset, options)).toBe(directory);
  });
});
