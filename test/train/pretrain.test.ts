import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DivergedError, InputError, InterruptedError } from "../../src/errors";
import { tf } from "../../src/engine/tf";
import { decodeSafetensors } from "../../src/weights/safetensors";
import { checkpointFile, pretrain, type PretrainOptions, type TrainingProgress } from "../../src/train/pretrain";
import type { Recipe } from "../../src/train/recipe";
import { tinyData, tinyMethods, tinyMoco, tinyRecipe } from "./tiny";

const data = tinyData();
const recipe = tinyRecipe(); // 2 epochs of 3 steps
let root: string;
let folders = 0;

beforeAll(() => void (root = mkdtempSync(join(tmpdir(), "moco-"))));
afterAll(() => rmSync(root, { recursive: true }));

const newFolder = () => join(root, String(++folders));
// A reading that depends on all weights and running averages.
const monitor = (times: number): NonNullable<PretrainOptions["monitor"]> => ({
  times,
  evaluate: ({ parameters, running }) =>
    tf.tidy(() => tf.add(tf.sum(parameters.values), tf.sum(running.values)).arraySync() as number),
});

async function train(
  directory: string,
  changes: Partial<PretrainOptions> = {},
  wanted: Recipe = recipe,
): Promise<TrainingProgress[]> {
  const progress: TrainingProgress[] = [];
  for await (const step of pretrain(wanted, data, { seed: 1, directory, ...changes })) progress.push(step);
  return progress;
}

/** All of a checkpoint but the time that training took. */
function contentOf(directory: string) {
  const { tensors, metadata } = decodeSafetensors(readFileSync(join(directory, checkpointFile)), directory);
  const { seconds: _, ...rest } = metadata;
  return { tensors: [...tensors].map(([name, { values }]) => [name, Buffer.from(values.buffer)]), metadata: rest };
}

const losses = (progress: readonly TrainingProgress[]) => progress.map(({ loss }) => loss);

describe("pretrain", () => {
  it("tells each step, and ends with a checkpoint that holds the whole history", async () => {
    const directory = newFolder();
    const progress = await train(directory);
    expect(progress.map(({ step, epoch, totalSteps }) => [step, epoch, totalSteps])).toEqual([
      [1, 0, 6],
      [2, 0, 6],
      [3, 0, 6],
      [4, 1, 6],
      [5, 1, 6],
      [6, 1, 6],
    ]);
    expect(progress.map(({ learningRate }) => learningRate)).toEqual([0.05, 0.05, 0.05, 0.025, 0.025, 0.025]);
    const history = JSON.parse(contentOf(directory).metadata["history"]!) as TrainingProgress["history"];
    expect(history).toEqual(progress.at(-1)!.history);
    expect(history.curve.map(({ loss }) => loss)).toEqual(losses(progress));
  });

  it("closes a point of the curve where the monitor reads", async () => {
    // 150 steps would have a point every second step.
    const long = { ...recipe, epochs: 50 };
    const directory = newFolder();
    const progress = await train(directory, { monitor: monitor(50) }, long);
    const { curve } = progress.at(-1)!.history;
    expect(curve.map(({ step }) => step).slice(0, 4)).toEqual([2, 3, 5, 6]);
    expect(curve[1]!.loss).toBe(progress[2]!.loss);
  });

  it("gives the same bits for the same seed, and others for another", async () => {
    const [first, second, other] = [newFolder(), newFolder(), newFolder()];
    const progress = await train(first);
    expect(losses(await train(second))).toEqual(losses(progress));
    expect(contentOf(second)).toEqual(contentOf(first));
    const otherLosses = losses(await train(other, { seed: 2 }));
    otherLosses.forEach((loss, step) => expect(loss).not.toBe(progress[step]!.loss));
  });

  it("does nothing more when it has ended", async () => {
    const directory = newFolder();
    await train(directory);
    const before = contentOf(directory);
    expect(await train(directory)).toEqual([]);
    expect(contentOf(directory)).toEqual(before);
  });

  it("refuses fewer images than a batch", async () => {
    const large = tinyRecipe({ batchSize: 32, method: tinyMoco({ queueSize: 32 }) });
    await expect(train(newFolder(), {}, large)).rejects.toThrow(InputError);
    await expect(train(newFolder(), {}, large)).rejects.toThrow(
      "Cannot train on tiny/train: it has 26 images, the batch size is 32",
    );
  });

  it("stops with an error when the loss is no longer a number, and leaves no checkpoint of it", async () => {
    const before = tf.memory().numTensors;
    const directory = newFolder();
    const wild = tinyRecipe({ learningRate: 1e30, optimizer: { kind: "sgd", momentum: 0.9, weightDecay: 1 } });
    const diverged = train(directory, {}, wild);
    await expect(diverged).rejects.toThrow(DivergedError);
    await expect(diverged).rejects.toThrow(
      /^Training diverged: the loss of step 2 in epoch 1 is NaN, at a learning rate of 1e\+30; not finite first: the batch statistics of encoder_q\.bn1\.running_var$/,
    );
    expect(existsSync(join(directory, checkpointFile))).toBe(false);
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe("pretrain, stopped and gone on with", () => {
  const monitored = { monitor: monitor(2) };
  let whole: ReturnType<typeof contentOf>;
  let wholeLosses: number[];

  beforeAll(async () => {
    const directory = newFolder();
    wholeLosses = losses(await train(directory, monitored));
    whole = contentOf(directory);
  });

  it.each([1, 3, 5])("by request after step %i ends with the same bits as without a stop", async (stopAt) => {
    const before = tf.memory().numTensors;
    const directory = newFolder();
    let done = 0;
    const stopped = train(directory, { ...monitored, stopRequested: () => ++done === stopAt });
    await expect(stopped).rejects.toThrow(InterruptedError);
    await expect(stopped).rejects.toThrow(`Training stopped at step ${stopAt} of 6`);
    const rest = await train(directory, monitored);
    expect(losses(rest)).toEqual(wholeLosses.slice(stopAt));
    expect(contentOf(directory)).toEqual(whole);
    expect(tf.memory().numTensors).toBe(before);
  });

  it.each(tinyMethods())("ends with the same bits and leaks no tensor, for every method: $name", async (one) => {
    const [unbroken, broken] = [newFolder(), newFolder()];
    const before = tf.memory().numTensors;
    const counts = new Set<number>();
    for await (const _ of pretrain(one, data, { seed: 1, directory: unbroken, checkpointSeconds: 0 })) {
      counts.add(tf.memory().numTensors);
    }
    expect(counts.size).toBe(1);
    expect(tf.memory().numTensors).toBe(before);
    let done = 0;
    await expect(train(broken, { stopRequested: () => ++done === 4 }, one)).rejects.toThrow(InterruptedError);
    await train(broken, {}, one);
    expect(contentOf(broken)).toEqual(contentOf(unbroken));
  });

  it("by leaving the loop at every step ends with the same bits", async () => {
    const before = tf.memory().numTensors;
    const directory = newFolder();
    const seen: number[] = [];
    for (let call = 0; call < 6; call++) {
      for await (const { loss } of pretrain(recipe, data, { seed: 1, directory, ...monitored })) {
        seen.push(loss);
        break;
      }
    }
    expect(seen).toEqual(wholeLosses);
    expect(contentOf(directory)).toEqual(whole);
    expect(tf.memory().numTensors).toBe(before);
  });

  it("by an error within a step goes on from the last checkpoint, and loses no reading", async () => {
    const directory = newFolder();
    const failing = {
      times: 2,
      evaluate: () => {
        throw new Error("out of memory");
      },
    };
    // After each step but those with a reading there is a checkpoint; the first reading is after step 3.
    await expect(train(directory, { monitor: failing, checkpointSeconds: 0 })).rejects.toThrow("out of memory");
    expect(contentOf(directory).metadata["step"]).toBe("2");
    await train(directory, monitored);
    expect(contentOf(directory)).toEqual(whole);
  });

  it("refuses to go on by another recipe or seed, and keeps the checkpoint", async () => {
    const before = tf.memory().numTensors;
    const directory = newFolder();
    await train(directory, monitored);
    await expect(train(directory, { seed: 2 })).rejects.toThrow(InputError);
    await expect(train(directory, {}, tinyRecipe({ epochs: 3 }))).rejects.toThrow(
      /trained by recipe \w{12} with seed 1/,
    );
    expect(contentOf(directory)).toEqual(whole);
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe("the monitor", () => {
  it.each([
    { times: 1, epochs: [6] },
    { times: 2, epochs: [3, 6] },
    { times: 4, epochs: [2, 3, 5, 6] },
    { times: 6, epochs: [1, 2, 3, 4, 5, 6] },
    { times: 50, epochs: [1, 2, 3, 4, 5, 6] },
    { times: 0, epochs: [] },
  ])("read $times times over 6 epochs reads after epochs $epochs", async ({ times, epochs }) => {
    const longer = tinyRecipe({ epochs: 6, batchSize: 24 }); // a step an epoch
    const progress = await train(newFolder(), { monitor: monitor(times) }, longer);
    expect(progress.at(-1)!.history.monitor.map(({ step }) => step)).toEqual(epochs);
  });
});
