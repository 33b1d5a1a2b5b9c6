import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { knnCommand, linearCommand } from "../../src/cli/evaluate";
import { presetRecipe } from "../../src/cli/recipe-flags";
import { loadData } from "../../src/data/load";
import { InputError } from "../../src/errors";
import { tf } from "../../src/engine/tf";
import { extractFeatures } from "../../src/evaluate/extract";
import type { LinearRun } from "../../src/runs/run-linear";
import { groupBootstrap } from "../../src/statistics/intervals";
import { knn } from "../../src/evaluate/knn";
import { presetNamed } from "../../src/recipes/presets";
import { saveCheckpoint } from "../../src/train/checkpoint";
import { checkpointFile } from "../../src/train/pretrain";
import { disposeTraining, startTraining } from "../../src/train/state";

const recipe = presetRecipe(presetNamed("smoke"));
let folder: string;
let expected: { validation: ReturnType<typeof knn>; test: ReturnType<typeof knn> };

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "moco-evaluate-"));
  const state = startTraining(recipe, { seed: 7, data: { checksum: "emoji", images: 2298, classes: 9 } });
  saveCheckpoint(join(folder, checkpointFile), state, recipe);
  const data = await loadData("emoji", { size: recipe.imageSize });
  const encoder = state.method.encoder;
  const train = extractFeatures(encoder, data, data.train);
  const options = { k: 5, temperature: 0.2, classCount: data.train.classes.length };
  expected = {
    validation: knn(train, extractFeatures(encoder, data, data.validation), options),
    test: knn(train, extractFeatures(encoder, data, data.test), options),
  };
  disposeTraining(state);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What a command prints. */
async function run(command: ReturnType<typeof knnCommand>, ...words: string[]): Promise<string> {
  const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
  await command.parseAsync(words, { from: "user" });
  const printed = log.mock.calls.map((call) => String(call[0])).join("\n");
  log.mockRestore();
  return printed;
}

describe("moco knn", () => {
  it.each(["validation", "test"] as const)("evaluates the query encoder on %s", async (part) => {
    const words = [join(folder, checkpointFile), "--k", "5", "--temperature", "0.2", "--part", part, "--json"];
    const printed = JSON.parse(await run(knnCommand(), ...words)) as unknown;
    const { correct, groups } = expected[part];
    expect(printed).toMatchObject({
      recipe: recipe.name,
      seed: 7,
      step: 0,
      part,
      measures: [
        {
          name: "kNN",
          settings: { k: 5, T: 0.2 },
          accuracy: groupBootstrap(correct, groups, { seed: 0 }),
          images: correct.length,
        },
      ],
    });
  });

  it("takes the folder of a run, names k and T, says what the interval is of, and leaves no tensor", async () => {
    await run(knnCommand(), folder);
    const tensors = tf.memory().numTensors;
    const text = await run(knnCommand(), folder, "--k", "5", "--temperature", "0.2");
    expect(tf.memory().numTensors).toBe(tensors);
    const accuracy = (100 * expected.test.accuracy).toFixed(1);
    expect(text).toContain(`kNN (k = 5, T = 0.2): ${accuracy} %, 95 % interval of test sampling`);
  });

  it("refuses more neighbors than there are images, and what is no checkpoint", async () => {
    await expect(run(knnCommand(), folder, "--k", "100000")).rejects.toThrow(/k must be an integer from 1 to 2298/);
    await expect(run(knnCommand(), join(folder, "none"))).rejects.toThrow(InputError);
  });
});

describe("moco linear --protocol paper", () => {
  const words = ["--protocol", "paper", "--set", "epochs=1", "--json"];

  it("trains from a checkpoint of the kit, and finds the run again", async () => {
    const given = [folder, "--output", join(folder, "linear"), "--part", "validation", ...words];
    const stderr = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    const tensors = tf.memory().numTensors;
    const text = await run(linearCommand(), ...given);
    expect(await run(linearCommand(), ...given)).toBe(text);
    expect(tf.memory().numTensors).toBe(tensors);
    stderr.mockRestore();
    const {
      recipe: ofCheckpoint,
      manifest,
      epochs,
      topOne,
      correct,
    } = JSON.parse(text) as LinearRun & { recipe: string };
    expect(ofCheckpoint).toBe(recipe.name);
    expect(manifest).toMatchObject({
      recipe: { learningRate: 30, batchSize: 256, epochs: 1, part: "validation", dataset: "emoji", imageSize: 16 },
      steps: Math.ceil(manifest.data.trainImages / 256),
      seed: 1,
    });
    expect(manifest.recipe.source).toContain("set on the command line: epochs = 1");
    expect(epochs).toHaveLength(1);
    expect(correct).toHaveLength(manifest.data.classifiedImages);
    expect(topOne.mean).toBe(epochs[0]!.topOne);
    expect(epochs[0]!.topFive).toBeGreaterThan(epochs[0]!.topOne);
  });

  it("is the only one that its flags are for", async () => {
    await expect(run(linearCommand(), folder, "--fresh")).rejects.toThrow(
      "Cannot use --fresh with --protocol fast: add --protocol paper",
    );
    await expect(run(linearCommand(), folder, ...words, "--set", "rate=3")).rejects.toThrow(
      "Unrecognized key(s) in object: 'rate'",
    );
  });
});

describe("moco linear", () => {
  it("gives the paper's probe and logistic regression, with what was chosen on validation", async () => {
    const { measures } = JSON.parse(await run(linearCommand(), folder, "--json")) as {
      measures: { name: string; settings: object; accuracy: { mean: number; low: number; high: number } }[];
    };
    expect(measures.map(({ name }) => name)).toEqual(["fast linear probe", "logistic regression"]);
    expect(measures.map(({ settings }) => Object.keys(settings))).toEqual([
      ["learningRate", "atEdge"],
      ["l2", "atEdge", "converged"],
    ]);
    for (const { accuracy } of measures) {
      // Even a random network does better than chance, one in nine.
      expect(accuracy.mean).toBeGreaterThan(1 / 9);
      expect(accuracy.low).toBeLessThan(accuracy.mean);
      expect(accuracy.high).toBeGreaterThan(accuracy.mean);
    }
  });
});
