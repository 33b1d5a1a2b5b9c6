import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tf } from "../../src/engine/tf";
import { DivergedError, InputError, InterruptedError } from "../../src/errors";
import { linearCheckpointFile } from "../../src/evaluate/linear-checkpoint";
import { paperLinearRecipe, parseLinearRecipe, type LinearRecipe } from "../../src/evaluate/linear-recipe";
import { trainLinear, type LinearOptions, type LinearProgress } from "../../src/evaluate/train-linear";
import { createEncoder, disposeEncoder, type Encoder } from "../../src/nn/encoder";
import { randomStream } from "../../src/engine/random";
import { decodeSafetensors } from "../../src/weights/safetensors";
import { tinyData, tinyRecipe } from "../train/tiny";

const data = tinyData(); // 26 images to train on, 8 to test
const recipe: LinearRecipe = {
  ...paperLinearRecipe,
  imageSize: 8,
  batchSize: 8,
  learningRate: 0.1,
  epochs: 2,
  schedule: { kind: "step", milestones: [1], factor: 0.1 },
};
let root: string;
let encoder: Encoder;
let folders = 0;
/** A training that was never stopped: its folder, what it told, and the tensors that it left. */
let whole: string;
let progress: LinearProgress[];
let tensorsLeft: number;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "moco-linear-"));
  encoder = createEncoder(tinyRecipe().encoder, randomStream(1, "initialization"));
  whole = newFolder();
  const before = tf.memory().numTensors;
  progress = await train(whole);
  tensorsLeft = tf.memory().numTensors - before;
}, 60_000);
afterAll(() => {
  rmSync(root, { recursive: true });
  disposeEncoder(encoder);
});

const newFolder = () => join(root, String(++folders));

async function train(
  directory: string,
  changes: Partial<LinearOptions> = {},
  wanted: LinearRecipe = recipe,
): Promise<LinearProgress[]> {
  const progress: LinearProgress[] = [];
  for await (const step of trainLinear(wanted, encoder, data, { seed: 1, directory, ...changes })) progress.push(step);
  return progress;
}

/** All of a checkpoint but the time that training took. */
function contentOf(directory: string) {
  const { tensors, metadata } = decodeSafetensors(readFileSync(join(directory, linearCheckpointFile)), directory);
  const { seconds: _, ...rest } = metadata;
  return { tensors: [...tensors].map(([name, { values }]) => [name, Buffer.from(values.buffer)]), metadata: rest };
}

describe("trainLinear", () => {
  it("sees every image in each epoch, the last batch smaller, and classifies the part after it", () => {
    expect(progress.map(({ step, epoch, totalSteps }) => [step, epoch, totalSteps])).toEqual(
      [1, 2, 3, 4, 5, 6, 7, 8].map((step) => [step, step > 4 ? 1 : 0, 8]),
    );
    const rates = progress.map(({ learningRate }) => Number(learningRate.toFixed(6)));
    expect(rates).toEqual([0.1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.01]);
    const { epochs, pending, correct } = progress.at(-1)!.history;
    expect(epochs.map(({ epoch }) => epoch)).toEqual([1, 2]);
    const sizes = [8, 8, 8, 2];
    epochs.forEach(({ trainLoss, trainTopOne, topFive }, index) => {
      const steps = progress.slice(4 * index, 4 * index + 4);
      const meanOver = (value: (one: LinearProgress) => number) =>
        steps.reduce((sum, one, step) => sum + value(one) * sizes[step]!, 0) / 26;
      expect(trainLoss).toBeCloseTo(
        meanOver(({ loss }) => loss),
        6,
      );
      expect(trainTopOne).toBeCloseTo(
        meanOver(({ accuracy }) => accuracy),
        6,
      );
      // Two classes: the right one is always among the best five.
      expect(topFive).toBe(1);
    });
    expect(correct).toMatch(/^[01]{8}$/);
    expect([...correct].filter((one) => one === "1").length / 8).toBe(epochs[1]!.topOne);
    expect(pending).toEqual({ loss: 0, right: 0, images: 0 });
  });

  it("learns what the features tell", async () => {
    const colored = tinyData();
    for (const set of [colored.train, colored.test]) {
      set.labels.forEach((label, image) => set.pixels.fill(label === 0 ? 60 : 190, image * 192, (image + 1) * 192));
    }
    let last: LinearProgress | undefined;
    const options = { seed: 1, directory: newFolder() };
    for await (const step of trainLinear({ ...recipe, epochs: 6 }, encoder, colored, options)) last = step;
    expect(last!.history.epochs.at(-1)!.topOne).toBe(1);
  });

  it.each([1, 2, 3])("goes on bit for bit after it was stopped after step %i of an epoch of four", async (stopAt) => {
    const stopped = newFolder();
    let steps = 0;
    const options = { stopRequested: () => ++steps === stopAt };
    await expect(train(stopped, options)).rejects.toThrow(InterruptedError);
    const rest = await train(stopped);
    expect(contentOf(stopped)).toEqual(contentOf(whole));
    expect(rest.at(-1)!.history).toEqual(progress.at(-1)!.history);
  });

  it("can be stopped while it classifies, and classifies when it goes on", async () => {
    const stopped = newFolder();
    // Asked after each of three steps, then between the batches of the classification.
    let asked = 0;
    const options = { stopRequested: () => ++asked === 4 };
    await expect(train(stopped, options)).rejects.toThrow("Training stopped at step 4 of 8");
    expect(JSON.parse(contentOf(stopped).metadata["history"]!)).toMatchObject({ epochs: [] });
    await train(stopped);
    expect(contentOf(stopped)).toEqual(contentOf(whole));
  });

  it("does nothing more when it has ended, and leaves no tensor", async () => {
    expect(tensorsLeft).toBe(0);
    const before = { content: contentOf(whole), tensors: tf.memory().numTensors };
    expect(await train(whole)).toEqual([]);
    expect({ content: contentOf(whole), tensors: tf.memory().numTensors }).toEqual(before);
  });

  it("refuses a folder of another seed, recipe or network", async () => {
    await expect(train(whole, {}, { ...recipe, epochs: 3 })).rejects.toThrow(InputError);
    await expect(train(whole, { seed: 2 })).rejects.toThrow(/with seed 1 .* with seed 2 /);
    const other = createEncoder(tinyRecipe().encoder, randomStream(2, "initialization"));
    const again = trainLinear(recipe, other, data, { seed: 1, directory: whole });
    await expect(again.next()).rejects.toThrow("Use another folder, or start anew with --fresh");
    disposeEncoder(other);
  });

  it("notices when the frozen network has changed", async () => {
    const other = createEncoder(tinyRecipe().encoder, randomStream(2, "initialization"));
    const training = trainLinear(recipe, other, data, { seed: 1, directory: newFolder() });
    await training.next();
    other.running.replace(tf.tidy(() => tf.mul(other.running.values, 1.001)));
    await expect(
      (async () => {
        for await (const _ of training);
      })(),
    ).rejects.toThrow("the frozen network has changed");
    disposeEncoder(other);
  });

  it("stops with an error when the loss is no longer a number, and leaves no checkpoint of it", async () => {
    const directory = newFolder();
    await expect(train(directory, {}, { ...recipe, learningRate: 1e38 })).rejects.toThrow(DivergedError);
    expect(existsSync(join(directory, linearCheckpointFile))).toBe(false);
  });

  it("refuses images without classes, and an empty part", async () => {
    const withoutClasses = { ...data, train: { ...data.train, classes: [] } };
    const options = { seed: 1, directory: newFolder() };
    await expect(trainLinear(recipe, encoder, withoutClasses, options).next()).rejects.toThrow(
      "it must have folders of two classes or more",
    );
    const withoutTest = { ...data, test: { ...data.test, labels: new Int32Array() } };
    await expect(trainLinear(recipe, encoder, withoutTest, options).next()).rejects.toThrow(
      "test must have images, current count is 0",
    );
  });
});

describe("parseLinearRecipe", () => {
  it("takes the paper's, and names each field that is wrong", () => {
    expect(parseLinearRecipe(paperLinearRecipe)).toEqual(paperLinearRecipe);
    const wrong = { ...paperLinearRecipe, epochs: 0, milestones: [60] };
    expect(() => parseLinearRecipe(wrong)).toThrow(
      /epochs: .*\n {2}recipe: Unrecognized key\(s\) in object: 'milestones'/,
    );
  });
});
