import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { loadData } from "../../../src/data/load";
import { forgetRun } from "../../../src/runs/run-cell";
import { stalenessPath } from "../../../src/experiments/studies/observe-staleness";
import { studyPlan, workLeft } from "../../../src/experiments/studies/plan";
import { presetNamed } from "../../../src/recipes/presets";
import { moco } from "../../cli/moco";

const folder = mkdtempSync(join(tmpdir(), "moco-notebook-05-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Notebook {
  readonly cells: readonly {
    readonly outputs?: readonly { readonly data?: { readonly "text/html"?: string | readonly string[] } }[];
  }[];
}

describe("notebook 05", () => {
  it("runs every study at preset smoke, tells what is left before it starts, and leaves nothing to train", async () => {
    const preset = presetNamed("smoke");
    const plan = studyPlan(preset);
    const { checksum } = await loadData("emoji", { size: preset.base.imageSize });
    // Some are trained by this test, whatever was there.
    forgetRun(plan.shuffling[0]!.recipe, 1);
    for (const { recipe } of plan.staleness)
      rmSync(stalenessPath(recipe, 1, checksum, plan.sizes.staleness), { force: true });
    const { trainings } = workLeft(plan, 1, checksum);
    expect(trainings).toBeGreaterThanOrEqual(3);

    const output = join(folder, "05.ipynb");
    const { code, stdout, stderr } = await moco("notebook", "05", "--preset", "smoke", "--output", output);
    expect(code, stdout + stderr).toBe(0);
    expect(stdout).toContain(`${trainings} trainings are left, about `);
    expect(workLeft(plan, 1, checksum)).toEqual({ trainings: 0, minutes: 0 });

    const { cells } = JSON.parse(readFileSync(output, "utf8")) as Notebook;
    const shown = cells.flatMap(({ outputs = [] }) => outputs.map(({ data }) => data?.["text/html"]));
    const tables = shown.map((html = []) => [html].flat().join("")).filter((html) => html.startsWith("<table>"));
    expect(tables).toHaveLength(9);
    expect(tables[0]).toContain("As recorded at preset quick");
    const own = tables.find((table) => table.includes("Your runs, seed 1"));
    for (const question of ["D3", "D4", "D5", "Figure A.1", "Section 3.2"]) expect(own).toContain(question);
    // The findings stand below their studies too.
    for (const beginning of [
      "Without the shuffle",
      "After 1 step keys of the queue",
      "The best m that can be judged",
      "A query meets",
      "The bound ends at",
    ]) {
      expect(stdout).toContain(beginning);
    }
  }, 300_000);
});
