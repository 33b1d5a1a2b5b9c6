import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { tmpdir } from "node:os";
import { afterAll, describe, expect, it } from "vitest";
import { runDirectory, runRecordFile } from "../../../src/runs/run-cell";
import { stalenessPath } from "../../../src/experiments/studies/observe-staleness";
import { studyPlan, workLeft } from "../../../src/experiments/studies/plan";
import { presetNamed, presetNames } from "../../../src/recipes/presets";
import { parseRecipe } from "../../../src/train/recipe";

const root = mkdtempSync(join(tmpdir(), "moco-plan-"));
afterAll(() => rmSync(root, { recursive: true }));

function finish(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, "{}");
}

describe("studyPlan", () => {
  it("has only recipes that can be trained", () => {
    for (const name of presetNames) {
      const plan = studyPlan(presetNamed(name));
      const cells = [...plan.shuffling, ...plan.staleness, ...plan.momentumLength, ...plan.informationBound];
      for (const { recipe } of cells) expect(() => parseRecipe(recipe)).not.toThrow();
    }
  });
});

describe("workLeft", () => {
  const quick = presetNamed("quick");
  const plan = studyPlan(quick);

  it("counts a training that several studies need once", () => {
    // 10 with and without the shuffle, 5 dictionaries, 20 of m and length, 5 of K. In two of the studies: m = 0.99 for 4
    // epochs in 2 groups.
    expect(workLeft(plan, 1, "checksum", root).trainings).toBe(10 + 5 + 20 + 5 - 1);
  });

  it("is at most ten minutes for preset quick where both ablations are there, and nothing where all is", () => {
    const done = (recipe: Parameters<typeof runDirectory>[0]) =>
      finish(join(runDirectory(recipe, { checksum: "checksum" }, 1, root), runRecordFile));
    plan.informationBound.forEach(({ recipe }) => done(recipe));
    plan.momentumLength
      .filter(({ epochs, momentum }) => epochs === 10 && momentum < 0.9999)
      .forEach(({ recipe }) => done(recipe));
    const left = workLeft(plan, 1, "checksum", root);
    expect(left.minutes).toBeGreaterThan(5);
    expect(left.minutes).toBeLessThanOrEqual(10);
    expect(workLeft(plan, 2, "checksum", root).trainings).toBeGreaterThan(left.trainings);

    [...plan.shuffling, ...plan.momentumLength].forEach(({ recipe }) => done(recipe));
    plan.staleness.forEach(({ recipe }) => finish(stalenessPath(recipe, 1, "checksum", plan.sizes.staleness, root)));
    expect(workLeft(plan, 1, "checksum", root)).toEqual({ trainings: 0, minutes: 0 });
  });
});
