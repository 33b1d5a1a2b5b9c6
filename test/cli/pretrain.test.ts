import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeProgress, progressBar } from "../../src/cli/progress-bar";
import { parseSetting, presetRecipe, recipeFrom } from "../../src/cli/recipe-flags";
import { InputError } from "../../src/errors";
import { linearEvaluation } from "../../src/experiments/linear-evaluation/linear-evaluation";
import { presetNamed } from "../../src/recipes/presets";
import type { TrainingProgress } from "../../src/train/pretrain";
import { parseRecipe } from "../../src/train/recipe";
import { recipeHash } from "../../src/train/recipe-hash";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "moco-recipe-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("recipeFrom", () => {
  it("takes the recipe of a preset, that of MoCo in its linear evaluation", () => {
    const recipe = parseRecipe(recipeFrom({ preset: "quick" }, []));
    expect(recipe).toEqual(presetRecipe(presetNamed("quick")));
    const cells = linearEvaluation(presetNamed("quick")).cells;
    expect(cells.map((cell) => recipeHash(cell.recipe))).toContain(recipeHash(recipe));
    expect(cells.map((cell) => cell.recipe.name)).toContain(recipe.name);
  });

  it("sets values on top, the last one of a field counts, and says so in the recipe's source", () => {
    const settings = ["method.queueSize=512", "encoder.width=8", "encoder.width=4", "augmentation=moco-v2"].map(
      parseSetting,
    );
    const recipe = parseRecipe(recipeFrom({ preset: "quick" }, settings));
    expect(recipe).toMatchObject({
      name: "quick-K512-m0.99",
      method: { queueSize: 512 },
      encoder: { width: 4, stem: "cifar" },
    });
    expect(recipe.source).toMatch(/set on the command line: method.queueSize = 512, .*augmentation = moco-v2$/);
  });

  it("takes values of any shape", () => {
    const [schedule] = ['schedule={"kind":"step","milestones":[8,12],"factor":0.1}'].map(parseSetting);
    expect(parseRecipe(recipeFrom({ preset: "quick" }, [schedule!])).schedule).toEqual({
      kind: "step",
      milestones: [8, 12],
      factor: 0.1,
    });
  });

  it("reads a whole recipe from a file, and keeps its name", () => {
    const file = join(folder, "mine.json");
    const mine = { ...presetRecipe(presetNamed("smoke")), name: "mine", source: "tried" };
    writeFileSync(file, JSON.stringify(mine));
    expect(parseRecipe(recipeFrom({ preset: "quick", file }, []))).toEqual(mine);
    writeFileSync(file, `\ufeff${JSON.stringify(mine)}`); // as some editors of Windows write
    expect(parseRecipe(recipeFrom({ preset: "quick", file }, []))).toEqual(mine);
    const changed = parseRecipe(recipeFrom({ preset: "quick", file }, [["epochs", "2"]]));
    expect(changed).toEqual({ ...mine, epochs: 2, source: "tried; set on the command line: epochs = 2" });
  });

  it("refuses what is no field, no value or no file", () => {
    expect(() => parseRecipe(recipeFrom({ preset: "quick" }, [["encoder.depth", "3"]]))).toThrow(/encoder: .*'depth'/);
    expect(() => parseRecipe(recipeFrom({ preset: "quick" }, [["__proto__.epochs", "3"]]))).toThrow(InputError);
    expect(() => parseRecipe(recipeFrom({ preset: "quick" }, [["method", "null"]]))).toThrow(InputError);
    expect(() => parseRecipe(recipeFrom({ preset: "quick" }, [["method.momentum", "high"]]))).toThrow(
      /method\.momentum: Expected number/,
    );
    expect(() => parseSetting("epochs")).toThrow(/write --set field=value, current value is "epochs"/);
    expect(() => recipeFrom({ preset: "quick", file: join(folder, "none.json") }, [])).toThrow(
      /Cannot read the recipe .*none\.json/,
    );
  });
});

describe("progressBar", () => {
  const progress: TrainingProgress = {
    step: 12,
    totalSteps: 490,
    epoch: 0,
    loss: 5.12345,
    accuracy: 0.123,
    gradientNorm: 1.2345,
    learningRate: 0.06,
    imagesPerSecond: 640.4,
    secondsLeft: 3671,
    seconds: 60,
    history: {
      curve: [],
      monitor: [{ step: 10, knn: 0.31 }],
      pending: { loss: 0, accuracy: 0, gradientNorm: 0, steps: 0 },
    },
  };

  it("says how fast, how good and how long", () => {
    expect(describeProgress(progress)).toBe(
      "step 12 of 490, epoch 1, loss 5.1235, pretext accuracy 12.3 %, gradient norm 1.23, 640 images/s, 1:01:11 left, kNN 31.0 % (validation)",
    );
  });

  it("prints plain lines into a file: the first, then few, and the last", () => {
    const written: string[] = [];
    const stream = { isTTY: false, write: (text: string) => written.push(text) } as unknown as NodeJS.WriteStream;
    const bar = progressBar(stream, describeProgress);
    for (let step = 1; step <= 490; step++) bar.show({ ...progress, step });
    bar.stop();
    expect(written[0]).toMatch(/^step 1 of 490.*\n$/);
    expect(written.at(-1)).toMatch(/^step 490 of 490/);
    expect(written).toHaveLength(2);
  });
});
