import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { forgetRun } from "../../src/runs/run-cell";
import { linearEvaluation } from "../../src/experiments/linear-evaluation/linear-evaluation";
import { presetNamed } from "../../src/recipes/presets";
import { moco } from "./moco";

const folder = mkdtempSync(join(tmpdir(), "moco-notebook-02-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Notebook {
  readonly cells: readonly {
    readonly outputs?: readonly { readonly data?: Readonly<Record<string, string | readonly string[]>> }[];
  }[];
}

interface TableJson {
  readonly rows: readonly {
    readonly label: string;
    readonly metrics: object;
    readonly manifests: readonly { readonly finished: string }[];
  }[];
}

describe("notebook 02", () => {
  it("fills Table 1 at preset smoke, probes the layers and compares the engines", async () => {
    const began = Date.now();
    // One row is trained by this test, whatever was there.
    const simclr = linearEvaluation(presetNamed("smoke")).cells.find(({ label }) => label === "SimCLR");
    forgetRun(simclr!.recipe, 1);
    const output = join(folder, "02.ipynb");
    const { code, stdout, stderr } = await moco("notebook", "02", "--preset", "smoke", "--output", output);
    expect(code, stdout + stderr).toBe(0);
    expect(stdout).toContain("7 trainings for each seed: about 1 min on two cores");

    const { cells } = JSON.parse(readFileSync(output, "utf8")) as Notebook;
    const shown = cells.flatMap(({ outputs = [] }) => outputs.flatMap(({ data }) => data?.["text/html"] ?? []));
    const html = shown.flat().join("");
    for (const text of ["Exemplar, R50w3×", "93,907,072", "MoCo v2, 200 epochs", ">layer4</td>", "loss, PyTorch"]) {
      expect(html).toContain(text);
    }

    const table = await moco("table", "linear-evaluation", "--preset", "smoke", "--json");
    const { rows } = JSON.parse(table.stdout) as TableJson;
    expect(rows.map(({ label }) => label)).toEqual([
      "random",
      "supervised",
      "MoCo",
      "memory bank",
      "end-to-end",
      "SimCLR",
    ]);
    for (const { metrics, label } of rows) {
      expect(Object.keys(metrics), label).toEqual(["linear", "logistic", "knn", "retrieval"]);
    }
    expect(new Date(rows[5]!.manifests[0]!.finished).getTime()).toBeGreaterThan(began);
  }, 300_000);
});

describe("moco table two-engines", () => {
  it("prints each epoch beside the official log", async () => {
    const { code, stdout } = await moco("table", "two-engines");
    expect(code).toBe(0);
    expect(stdout).toMatch(/│ 5 .* 6\.862 .* 38\.0 /);
    expect(stdout).toMatch(/Equivalence is (not )?shown/);
  });
});
