import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { momentumAblation } from "../../src/experiments/ablation/momentum";
import { presetNamed } from "../../src/recipes/presets";
import { compareSets, setRows } from "../../src/report/compare-sets";
import { runName } from "../../src/runs/run-name";
import { writeRunRecord } from "../../src/runs/run-record";
import { exampleRun } from "../runs/example-run";

const preset = presetNamed("smoke");
const [cell] = momentumAblation(preset).cells;
let root: string;
beforeEach(() => void (root = mkdtempSync(join(tmpdir(), "moco-compare-"))));
afterEach(() => rmSync(root, { recursive: true }));

/** @param right - of 40 images, a number a seed */
function writeSet(name: string, right: readonly number[], firstSeed = 1): { folder: string; preset: typeof preset } {
  const folder = join(root, name);
  right.forEach((count, index) => {
    const seed = firstSeed + index;
    const run = exampleRun(cell!.recipe, seed, count);
    writeRunRecord(join(folder, `${runName(cell!.recipe, run.manifest.data.checksum, seed)}.json`), run);
  });
  return { folder, preset };
}

describe("compareSets", () => {
  it("pairs the runs of the same recipe, data and seed", () => {
    const differences = compareSets(writeSet("a", [20, 22, 24]), writeSet("b", [18, 20, 22]));
    const [linear] = differences.filter(({ table, metric }) => table === "momentum" && metric === "linear");
    expect(linear).toMatchObject({ row: cell!.label, means: [55, 50], seeds: [3, 3] });
    expect(linear!.test!.kind).toBe("paired");
    expect(linear!.test!.low).toBeCloseTo(5, 9);
    expect(linear!.test!.p).toBeLessThan(1e-9);
    expect(setRows([linear!])[0]).toMatchObject({ A: "55.0 (3)", B: "50.0 (3)", "A − B": "+5.0 [+5.0, +5.0]" });
  });

  it("takes Welch's test where seeds are others, and none for one seed", () => {
    const of = (a: number[], b: number[]) =>
      compareSets(writeSet(`a${a.length}`, a), writeSet(`b${b.length}`, b)).find(({ table }) => table === "momentum")!;
    expect(of([20, 22, 24], [18, 20]).test!.kind).toBe("Welch");
    expect(of([20], [18, 20, 21]).test).toBeUndefined();
  });

  it("says what to give where nothing is in common", () => {
    expect(() => compareSets(writeSet("a", [20]), { folder: join(root, "none"), preset })).toThrow(
      /^Cannot compare .*: there is no row of which both have runs/,
    );
  });
});
