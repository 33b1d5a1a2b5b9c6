import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { randomStream } from "../../../src/engine/random";
import { paperLinearRecipe } from "../../../src/evaluate/linear-recipe";
import { accuracyRows } from "../../../src/experiments/ablation/ablation-rows";
import type { Ablation } from "../../../src/experiments/ablation/ablation";
import { paperAblation, paperAblationNames } from "../../../src/experiments/paper-scale/paper-ablation";
import { classifyPaperCell, paperData, pretrainPaperCell } from "../../../src/experiments/paper-scale/paper-cell";
import { paperResult, reproducePaper } from "../../../src/experiments/paper-scale/paper-result";
import { paperRecipes } from "../../../src/recipes/paper-recipes";
import { parseRecipe } from "../../../src/train/recipe";
import { recipeHash } from "../../../src/train/recipe-hash";

const folder = mkdtempSync(join(tmpdir(), "moco-paper-result-"));
const [data, runs] = [join(folder, "photographs"), join(folder, "runs")];
afterAll(() => rmSync(folder, { recursive: true }));

beforeAll(async () => {
  const random = randomStream(0, "photographs");
  for (const [part, count] of [
    ["train", 8],
    ["val", 4],
  ] as const) {
    for (const name of ["dark", "light"]) {
      mkdirSync(join(data, part, name), { recursive: true });
      for (let image = 0; image < count; image++) {
        const pixels = Uint8Array.from(
          { length: 24 * 20 * 3 },
          () => random.integer(128) + (name === "light" ? 128 : 0),
        );
        await sharp(pixels, { raw: { width: 24, height: 20, channels: 3 } })
          .png()
          .toFile(join(data, part, name, `${image}.png`));
      }
    }
  }
});

/** The sizes of the queue, by recipes that a few seconds are enough for. */
function smallTable(): Ablation {
  const whole = paperAblation("queue-size", `folder:${data}`);
  return {
    ...whole,
    cells: whole.cells.map((cell, index) => ({
      ...cell,
      recipe: {
        ...cell.recipe,
        imageSize: 16,
        encoder: { ...cell.recipe.encoder, architecture: "resnet18", width: 4 },
        ...{ batchSize: 8, bnGroups: 2, epochs: 1, schedule: { kind: "cosine" } },
        method: { ...cell.recipe.method, queueSize: 8 * (index + 1) } as typeof cell.recipe.method,
      },
    })),
  };
}

const linear = {
  ...paperLinearRecipe,
  ...{ batchSize: 8, epochs: 1, schedule: { ...paperLinearRecipe.schedule, milestones: [] } },
};

describe("the paper's own tables", () => {
  it("have the paper's recipes, each of which the schema accepts, on the data set that is said", () => {
    const hashes = new Set(
      paperRecipes.map((recipe) => recipeHash({ ...recipe, dataset: "folder:/here" } as typeof recipe)),
    );
    for (const name of paperAblationNames) {
      const { cells, axis, referenceLabel } = paperAblation(name, "folder:/here");
      expect(new Set(cells.map(({ recipe }) => recipe.dataset))).toEqual(new Set(["folder:/here"]));
      for (const { recipe } of cells) expect(() => parseRecipe(recipe)).not.toThrow();
      expect(cells.map(({ label }) => label)).toContain(referenceLabel);
      expect([0, cells.length]).toContain(axis.values.length);
      // Every table but that of m, which is at another K, has a recipe that a preset of moco pretrain is.
      expect(cells.some(({ recipe }) => hashes.has(recipeHash(recipe)))).toBe(name !== "momentum");
    }
    const published = (name: (typeof paperAblationNames)[number]) =>
      paperAblation(name).cells.map((cell) => [cell.label, cell.published?.value]);
    expect(published("momentum")).toEqual([
      ["m = 0", "fail"],
      ["m = 0.9", 55.2],
      ["m = 0.99", 57.8],
      ["m = 0.999", 59.0],
      ["m = 0.9999", 58.9],
    ]);
    expect(published("linear-evaluation").at(-1)).toEqual(["MoCo, R50w4×", 68.6]);
    expect(published("mechanisms")).toHaveLength(15);
  });

  it("say which rows were not run, and have the accuracy of those that were, by the linear protocol alone", async () => {
    const small = smallTable();
    const states = (result: ReturnType<typeof paperResult>) => accuracyRows(result).map(({ state }) => state);
    expect(states(paperResult(small, { root: runs })).slice(0, 6)).toEqual(Array(6).fill("not run"));

    const one = { ...small, cells: small.cells.slice(0, 1) };
    const result = await reproducePaper(one, { linear, root: runs });
    expect(result.rows[0]).toMatchObject({ seeds: 1, failure: undefined, published: { value: 54.7 } });
    expect(result.rows[0]!.metrics.linear).toMatchObject({ kind: "test sampling", mean: expect.any(Number) as number });

    const all = paperResult(small, { linear, root: runs });
    expect(states(all).slice(0, 2)).toEqual(["trained", "not run"]);
    // By another recipe of the classifier it is not the paper's number.
    const { rows } = paperResult(small, { root: runs });
    expect(rows[0]).toMatchObject({ failure: "pre-trained, not classified yet", metrics: {} });
    // Again, nothing is trained.
    let steps = 0;
    await reproducePaper(one, { linear, root: runs, onProgress: () => steps++, onLinear: () => steps++ });
    expect(steps).toBe(0);
  });
});

describe("a cell of the paper", () => {
  it("is pre-trained and classified by two calls, each of which goes on where it was stopped", async () => {
    const root = join(folder, "halves");
    const [cell] = smallTable().cells;
    const { recipe } = cell!;
    const images = await paperData(recipe);
    // All of the training part: the paper holds nothing out.
    expect(images.train.labels).toHaveLength(16);

    const stopped = pretrainPaperCell(recipe, images, { root, stopRequested: () => true });
    await expect(stopped).rejects.toThrow(/stopped at step 1 of 2/);
    const steps: number[] = [];
    const pretrained = await pretrainPaperCell(recipe, images, { root, onProgress: ({ step }) => steps.push(step) });
    expect(steps).toEqual([2]);
    const table = { ...smallTable(), cells: [cell!] };
    expect(paperResult(table, { linear, root }).rows[0]!.failure).toBe("pre-trained, not classified yet");

    const stoppedToo = classifyPaperCell(cell!, images, pretrained, { linear, root, stopRequested: () => true });
    await expect(stoppedToo).rejects.toThrow(/stopped at step 1 of 2/);
    const run = await classifyPaperCell(cell!, images, pretrained, { linear, root });
    expect(run).toMatchObject({ manifest: { encoder: { title: "K = 256", checksum: pretrained.manifest.encoder } } });
    expect(paperResult(table, { linear, root }).rows[0]).toMatchObject({
      failure: undefined,
      metrics: { linear: { mean: run!.topOne.mean } },
    });
  });

  it("that diverges is a row that failed, and is not trained again", async () => {
    const root = join(folder, "diverged");
    const cells = smallTable()
      .cells.slice(0, 1)
      .map((cell) => ({ ...cell, recipe: { ...cell.recipe, learningRate: 1e30 } }));
    const failed = { failure: "failed: the training diverged", metrics: {} };
    let steps = 0;
    const reproduce = () =>
      reproducePaper({ ...smallTable(), cells }, { linear, root, onProgress: () => steps++, onLinear: () => steps++ });
    expect((await reproduce()).rows).toMatchObject([failed]);
    expect(steps).toBe(1);
    expect((await reproduce()).rows).toMatchObject([failed]);
    expect(steps).toBe(1);
  });
});
