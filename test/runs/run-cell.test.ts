import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { joinParts } from "../../src/data/image-data";
import type { ImageData, PixelSet } from "../../src/data/image-set";
import { runCell } from "../../src/runs/run-cell";
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
});
