import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readRateTrials } from "../../src/experiments/mechanisms/rate-trials";
import { rateTrialsPath } from "../../src/runs/run-store";
import { forgetRun } from "../../src/runs/run-cell";
import { bestRates, mechanismAblation } from "../../src/experiments/mechanisms/mechanisms";
import { presetNamed } from "../../src/recipes/presets";
import { moco } from "./moco";

const folder = mkdtempSync(join(tmpdir(), "moco-notebook-01-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface TableJson {
  readonly rows: readonly {
    readonly label: string;
    readonly metrics: object;
    readonly manifests: readonly { readonly finished: string; readonly recipe: { readonly learningRate: number } }[];
  }[];
}

describe("notebook 01", () => {
  it("tries the rates on validation, trains every mechanism with its own, and fills the table", async () => {
    const preset = presetNamed("smoke");
    const began = Date.now();
    const output = join(folder, "01.ipynb");
    const run = () => moco("notebook", "01", "--preset", "smoke", "--output", output);
    // What an earlier run of this test has left is trained again in part.
    const before = bestRates(readRateTrials(rateTrialsPath(preset)) ?? []);
    if (before) forgetRun(mechanismAblation(preset, before).cells.at(-1)!.recipe, 1);
    const { code, stdout, stderr } = await run();
    expect(code, stdout + stderr).toBe(0);
    const html = readFileSync(output, "utf8");
    for (const text of ["kNN on validation after 1 epochs", "ms per image", "SimCLR, batch = 64"]) {
      expect(html).toContain(text);
    }

    const rates = bestRates(readRateTrials(rateTrialsPath(preset))!)!;
    const table = await moco("table", "mechanisms", "--preset", "smoke", "--json");
    const { rows } = JSON.parse(table.stdout) as TableJson;
    expect(rows.map(({ label }) => label)).toEqual([
      "MoCo, K = 64",
      "memory bank, K = 64",
      "end-to-end, batch = 64",
      "SimCLR, batch = 64",
    ]);
    expect(rows.map(({ manifests }) => manifests[0]!.recipe.learningRate)).toEqual(Object.values(rates));
    for (const { metrics, label } of rows) {
      expect(Object.keys(metrics), label).toEqual(["linear", "logistic", "knn", "retrieval"]);
    }
    expect(new Date(rows[3]!.manifests[0]!.finished).getTime()).toBeGreaterThan(began);
  }, 300_000);
});
