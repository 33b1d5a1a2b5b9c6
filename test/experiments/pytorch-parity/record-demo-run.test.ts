import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { demoRun, recordDemoRun } from "../../../src/experiments/pytorch-parity/record-demo-run";
import { readTwoEngines } from "../../../src/experiments/pytorch-parity/read-two-engines";
import { cifar10DemoRecipe } from "../../../src/recipes/cifar10-demo";
import { recipeHash } from "../../../src/train/recipe-hash";
import { exampleRun } from "../../runs/example-run";

const recipe = {
  ...cifar10DemoRecipe,
  dataset: "folder:/some/where/images",
  source: "the demo; set on the command line: dataset = folder:/some/where/images",
  epochs: 2,
};
const ran = exampleRun(recipe, 3, 20).manifest;
const manifest = { ...ran, data: { ...ran.data, name: "images" }, steps: 6 };
const point = (step: number, epoch: number, loss: number) => ({ step, epoch, loss, accuracy: 0 });
const history = {
  // The loss of steps 1 to 6 is 1 to 6.
  curve: [point(2, 0, 1.5), point(3, 0, 3), point(5, 1, 4.5), point(6, 1, 6)],
  monitor: [
    { step: 3, knn: 0.3 },
    { step: 6, knn: 0.4 },
  ],
};

it("reads the mean loss over each epoch's steps and the monitor's accuracy", () => {
  expect(demoRun(manifest, history).curve).toEqual([
    { epoch: 1, loss: 2, knn: 0.3 },
    { epoch: 2, loss: 5, knn: 0.4 },
  ]);
});

it("names the data by its folder alone, and keeps hash and recipe in agreement", () => {
  const run = demoRun(manifest, history);
  expect(JSON.stringify(run)).not.toContain("/some/where");
  expect(run.recipe["dataset"]).toBe("folder:images");
  expect(run.manifest.recipeHash).toBe(recipeHash(run.manifest.recipe));
});

it("writes what the comparison of the two engines reads", () => {
  const folder = mkdtempSync(join(tmpdir(), "moco-demo-"));
  try {
    const run = demoRun(manifest, history);
    recordDemoRun(run, folder);
    writeFileSync(join(folder, "official.csv"), "epoch,lr,train_loss,knn_top1\n1,0.06,7,31\n");
    const { manifest: _, ...written } = run;
    expect(readTwoEngines(folder).kit).toEqual([written]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
