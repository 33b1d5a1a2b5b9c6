import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { DetectionRecipe } from "../../../src/detection/detection-recipe";
import type { DetectionSet } from "../../../src/detection/structures/detection-set";
import { detectorCheckpointFile, loadDetector } from "../../../src/detection/train/detector-checkpoint";
import { disposeDetectorTraining } from "../../../src/detection/train/detector-training";
import {
  trainDetector,
  type DetectorProgress,
  type TrainDetectorOptions,
} from "../../../src/detection/train/train-detector";
import { DivergedError, InputError, InterruptedError } from "../../../src/errors";
import { tf } from "../../../src/engine/tf";
import { decodeSafetensors, encodeSafetensors } from "../../../src/weights/safetensors";
import { tinyDetection, tinyInitialization, tinySet } from "../tiny-detection";

const set = tinySet();
const recipe = tinyDetection(); // 6 steps
let root: string;
let folders = 0;

beforeAll(() => void (root = mkdtempSync(join(tmpdir(), "moco-"))));
afterAll(() => rmSync(root, { recursive: true }));

const newFolder = () => join(root, String(++folders));
// A reading that depends on all weights and running averages.
const monitor: NonNullable<TrainDetectorOptions["monitor"]> = {
  times: 2,
  evaluate: ({ parameters, running }) =>
    Promise.resolve(tf.tidy(() => tf.add(tf.sum(parameters.values), tf.sum(running.values)).arraySync() as number)),
};

async function train(
  directory: string,
  changes: Partial<TrainDetectorOptions> = {},
  wanted: DetectionRecipe = recipe,
  images: DetectionSet = set,
): Promise<DetectorProgress[]> {
  const progress: DetectorProgress[] = [];
  const options = { seed: 1, directory, initialization: tinyInitialization, ...changes };
  for await (const step of trainDetector(wanted, images, options)) progress.push(step);
  return progress;
}

/** All of a checkpoint but the time that training took. */
function contentOf(directory: string) {
  const path = join(directory, detectorCheckpointFile);
  const { tensors, metadata } = decodeSafetensors(readFileSync(path), path);
  const { seconds: _, ...rest } = metadata;
  return { tensors: [...tensors].map(([name, { values }]) => [name, Buffer.from(values.buffer)]), metadata: rest };
}

const lossesOf = (progress: readonly DetectorProgress[]) => progress.map(({ losses }) => losses);

describe("trainDetector", () => {
  it("tells each step, and ends with a checkpoint that holds the whole history", async () => {
    const directory = newFolder();
    const progress = await train(directory, { monitor });
    expect(progress.map(({ step, totalSteps }) => [step, totalSteps])).toEqual(
      [1, 2, 3, 4, 5, 6].map((step) => [step, 6]),
    );
    const { history } = progress.at(-1)!;
    expect(history.curve).toEqual(progress.map(({ step, losses }) => ({ step, ...losses })));
    expect(history.validations.map(({ step }) => step)).toEqual([3, 6]);
    expect(JSON.parse(contentOf(directory).metadata["history"]!)).toEqual(history);
  });

  it("gives the same bits for the same seed, and others for another", async () => {
    const [first, second] = [newFolder(), newFolder()];
    const losses = lossesOf(await train(first));
    expect(lossesOf(await train(second))).toEqual(losses);
    expect(contentOf(second)).toEqual(contentOf(first));
    const others = lossesOf(await train(newFolder(), { seed: 2 }));
    others.forEach((other, step) => expect(other).not.toEqual(losses[step]));
  });

  it("keeps the number of tensors over images of all sizes, and frees all of them", async () => {
    const before = tf.memory().numTensors;
    const counts = new Set<number>();
    const options = {
      seed: 1,
      directory: newFolder(),
      initialization: tinyInitialization,
      checkpointSeconds: 0,
      monitor,
    };
    for await (const _ of trainDetector(recipe, set, options)) counts.add(tf.memory().numTensors);
    expect(counts.size).toBe(1);
    expect(tf.memory().numTensors).toBe(before);
  });

  it("estimates the running averages after the last step by batches of the training part", async () => {
    const [few, many] = [newFolder(), newFolder()];
    await train(few);
    await train(many, {}, tinyDetection({ preciseBnBatches: 4 }));
    const averages = (directory: string) => {
      const { training } = loadDetector(join(directory, detectorCheckpointFile));
      const read = [training.detector.parameters, training.detector.running].map(({ values }) => values.dataSync());
      disposeDetectorTraining(training);
      return read;
    };
    const [weights, running] = averages(few);
    const [sameWeights, otherRunning] = averages(many);
    expect(sameWeights).toEqual(weights);
    expect(otherRunning).not.toEqual(running);
  });

  it("does nothing more when it has ended", async () => {
    const directory = newFolder();
    await train(directory);
    const before = contentOf(directory);
    expect(await train(directory)).toEqual([]);
    expect(contentOf(directory)).toEqual(before);
  });

  it("ends where AP50 has not risen for a share of the run, also when it was interrupted", async () => {
    const rising = [0.1, 0.3, 0.2, 0.305, 0.25, 0.4];
    const stopping = { evaluateEvery: 1, from: 3, leastRise: 0.01, patience: 0.5 };
    const told = (): NonNullable<TrainDetectorOptions["monitor"]> => {
      let reading = 0;
      return { times: 0, evaluate: () => Promise.resolve(rising[reading++]!) };
    };
    const whole = newFolder();
    const progress = await train(whole, { monitor: told() }, tinyDetection({ stopping }));
    // The best of the first four validations is the second: two of four steps without a better one.
    expect(progress.map(({ step }) => step)).toEqual([1, 2, 3, 4]);
    expect(await train(whole, { monitor: told() }, tinyDetection({ stopping }))).toEqual([]);
    const broken = newFolder();
    const monitor = told();
    let asked = 0;
    const interrupted = train(broken, { monitor, stopRequested: () => ++asked > 4 }, tinyDetection({ stopping }));
    await expect(interrupted).rejects.toThrow(InterruptedError);
    await train(broken, { monitor }, tinyDetection({ stopping }));
    expect(contentOf(broken)).toEqual(contentOf(whole));
  });

  it("says that a training that ends by the validation part needs one", async () => {
    const stopping = { evaluateEvery: 1, from: 3, leastRise: 0, patience: 0.5 };
    await expect(train(newFolder(), {}, tinyDetection({ stopping }))).rejects.toThrow("there is no validation part");
  });

  it("stops with an error when training diverges, and leaves no checkpoint of it", async () => {
    const before = tf.memory().numTensors;
    const directory = newFolder();
    const schedule = { ...recipe.schedule, warmup: 0 };
    await expect(train(directory, {}, tinyDetection({ learningRate: 1e30, schedule }))).rejects.toThrow(DivergedError);
    expect(existsSync(join(directory, detectorCheckpointFile))).toBe(false);
    expect(tf.memory().numTensors).toBe(before);
  });

  it("refuses to train masks where an object has none", async () => {
    const { mask: _, ...bare } = set.images[3]!.objects[1]!;
    const images = set.images.map((image, index) => (index === 3 ? { ...image, objects: [bare] } : image));
    const masks = tinyDetection({ detector: { ...recipe.detector, masks: true } });
    await expect(train(newFolder(), {}, masks, { ...set, images })).rejects.toThrow(
      "every object must have one, an object in image 4 has none",
    );
  });

  it("refuses an encoder of another width", async () => {
    const before = tf.memory().numTensors;
    const wide = tinyDetection({
      detector: { ...recipe.detector, backbone: { ...recipe.detector.backbone, width: 4 } },
    });
    await expect(train(newFolder(), {}, wide)).rejects.toThrow(
      "Cannot put the encoder into the detector: its width must be 4, current value is 2",
    );
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe("trainDetector, stopped and gone on with", () => {
  let whole: ReturnType<typeof contentOf>;
  let wholeLosses: ReturnType<typeof lossesOf>;

  beforeAll(async () => {
    const directory = newFolder();
    wholeLosses = lossesOf(await train(directory, { monitor }));
    whole = contentOf(directory);
  });

  // Asked after each step, and before each of the two batches of precise BN after steps 3 and 6: 9 times.
  it.each([1, 2, 3, 4, 5, 6, 7, 8, 9])("by the request number %i ends with the same bits", async (stopAt) => {
    const before = tf.memory().numTensors;
    const directory = newFolder();
    let asked = 0;
    const stopped = train(directory, { monitor, stopRequested: () => ++asked === stopAt });
    await expect(stopped).rejects.toThrow(InterruptedError);
    await train(directory, { monitor });
    expect(contentOf(directory)).toEqual(whole);
    expect(tf.memory().numTensors).toBe(before);
  });

  it("by leaving the loop at every step ends with the same bits", async () => {
    const directory = newFolder();
    const seen: unknown[] = [];
    const options = { seed: 1, directory, initialization: tinyInitialization, monitor };
    for (let call = 0; call < 6; call++) {
      for await (const { losses } of trainDetector(recipe, set, options)) {
        seen.push(losses);
        break;
      }
    }
    expect(seen).toEqual(wholeLosses);
    expect(contentOf(directory)).toEqual(whole);
  });

  it("by an image that cannot be read goes on from the last checkpoint", async () => {
    const directory = newFolder();
    let reads = 0;
    const broken: DetectionSet = {
      ...set,
      readPixels: (image) => (++reads === 7 ? Promise.reject(new InputError("broken")) : set.readPixels(image)),
    };
    await expect(train(directory, { monitor, checkpointSeconds: 0 }, recipe, broken)).rejects.toThrow("broken");
    expect(contentOf(directory).metadata["step"]).toBe("2");
    await train(directory, { monitor });
    expect(contentOf(directory)).toEqual(whole);
  });

  it("refuses another seed, recipe, initialization or categories, and keeps the checkpoint", async () => {
    const before = tf.memory().numTensors;
    const directory = newFolder();
    await train(directory, { monitor });
    const refused = /trained by recipe \w{12} from random with seed 1, asked for is .*--fresh/;
    await expect(train(directory, { seed: 2 })).rejects.toThrow(refused);
    await expect(train(directory, {}, tinyDetection({ learningRate: 0.01 }))).rejects.toThrow(refused);
    const other = { ...tinyInitialization, name: "moco", checksum: "ab".repeat(32) };
    await expect(train(directory, { initialization: other })).rejects.toThrow(refused);
    const renamed = { ...set, categories: set.categories.map((one) => ({ ...one, name: `${one.name}!` })) };
    await expect(train(directory, {}, recipe, renamed)).rejects.toThrow("for the categories even, odd, asked for are");
    expect(contentOf(directory)).toEqual(whole);
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe("trainDetector on images of one shape, so that its steps are recorded", () => {
  const square = tinySet(4, () => [28, 28]);
  const images = { ...recipe.images, trainShortest: [28], testShortest: 28 };
  const schedule = { iterations: 22, warmup: 2, milestones: [] };
  const long = tinyDetection({ images, schedule, detector: { ...recipe.detector, masks: true } });
  const run = (directory: string, changes: Partial<TrainDetectorOptions> = {}) =>
    train(directory, { monitor, ...changes }, long, square);

  it("ends with the same bits after an interruption, within rounding of op by op, and frees all tensors", async () => {
    const before = tf.memory().numTensors;
    const [whole, broken, opByOp] = [newFolder(), newFolder(), newFolder()];
    const losses = lossesOf(await run(whole));
    let asked = 0;
    await expect(run(broken, { stopRequested: () => ++asked === 9 })).rejects.toThrow(InterruptedError);
    await run(broken);
    expect(contentOf(broken)).toEqual(contentOf(whole));
    expect(tf.memory().numTensors).toBe(before);
    vi.stubEnv("MOCO_OP_BY_OP", "1");
    const others = lossesOf(await run(opByOp));
    vi.unstubAllEnvs();
    others.slice(0, 10).forEach((other, step) => {
      for (const [name, loss] of Object.entries(other) as [string, number][]) {
        const recorded = losses[step]![name as keyof typeof other]!;
        expect(Math.abs(recorded - loss), `${name} of step ${step + 1}`).toBeLessThan(1e-3 * Math.abs(loss) + 1e-5);
      }
    });
    // Or it was not recorded.
    expect(contentOf(opByOp)).not.toEqual(contentOf(whole));
  });

  it.runIf(process.env["MOCO_TEST_LONG"])(
    "by leaving the loop at every step ends with the same bits",
    async () => {
      const [whole, broken] = [newFolder(), newFolder()];
      const losses = lossesOf(await run(whole));
      const seen: unknown[] = [];
      const options = { seed: 1, directory: broken, initialization: tinyInitialization, monitor };
      for (let call = 0; call < schedule.iterations; call++) {
        for await (const { losses: one } of trainDetector(long, square, options)) {
          seen.push(one);
          break;
        }
      }
      expect(seen).toEqual(losses);
      expect(contentOf(broken)).toEqual(contentOf(whole));
    },
    600_000,
  );
});

describe.each([
  ["dilated C5", { arch: "dc5" }],
  ["masks", { masks: true }],
] as const)("trainDetector with %s", (_, changes) => {
  const changed = tinyDetection({ detector: { ...recipe.detector, ...changes } });

  it("ends with the same bits after an interruption, and frees all tensors", async () => {
    const before = tf.memory().numTensors;
    const [whole, broken] = [newFolder(), newFolder()];
    await train(whole, { monitor }, changed);
    let asked = 0;
    const stopped = train(broken, { monitor, stopRequested: () => ++asked === 4 }, changed);
    await expect(stopped).rejects.toThrow(InterruptedError);
    await train(broken, { monitor }, changed);
    expect(contentOf(broken)).toEqual(contentOf(whole));
    expect(tf.memory().numTensors).toBe(before);
  });

  it("lowers the loss", async () => {
    const schedule = { iterations: 60, warmup: 5, milestones: [] };
    const progress = await train(newFolder(), {}, { ...changed, schedule, images: { ...changed.images, flip: false } });
    const sums = progress.map(({ losses: { objectness, rpnBox, classification, box, mask = 0 } }) =>
      [objectness, rpnBox, classification, box, mask].reduce((sum, loss) => sum + loss),
    );
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean(sums.slice(-10))).toBeLessThan(0.7 * mean(sums.slice(0, 10)));
  });
});

describe("loadDetector", () => {
  const written = (content: Uint8Array | string) => {
    const path = join(root, `${++folders}.safetensors`);
    writeFileSync(path, content);
    return path;
  };

  it("refuses what is no file, no safetensors, or no detector", () => {
    expect(() => loadDetector(join(root, "none"))).toThrow(/there is no file .*none/);
    expect(() => loadDetector(written("nothing of use"))).toThrow(InputError);
    const weights = Buffer.concat([Buffer.from([2, 0, 0, 0, 0, 0, 0, 0]), Buffer.from("{}")]);
    expect(() => loadDetector(written(weights))).toThrow("it holds no detector that the kit has trained");
  });

  it("refuses a detector cut short or with a field that is wrong, naming it", async () => {
    const directory = newFolder();
    await train(directory);
    const bytes = readFileSync(join(directory, detectorCheckpointFile));
    expect(() => loadDetector(written(bytes.subarray(0, bytes.length - 40)))).toThrow(InputError);
    const { tensors, metadata } = decodeSafetensors(bytes, "whole");
    const wrongStep = encodeSafetensors({ tensors, metadata: { ...metadata, step: "x" } });
    expect(() => loadDetector(written(wrongStep))).toThrow(/damaged.*Not valid: step/);
  });

  it("refuses a detector of which one bit is wrong; its training goes on from the one before, to the same bits", async () => {
    const directory = newFolder();
    await train(directory, { checkpointSeconds: 0 });
    const whole = contentOf(directory);
    const path = join(directory, detectorCheckpointFile);
    const bytes = readFileSync(path);
    bytes[bytes.length - 100]! ^= 16;
    writeFileSync(path, bytes);
    expect(() => loadDetector(path)).toThrow(/its content is not the one .* The checkpoint before it is .*previous/);
    const warn = vi.spyOn(console, "warn").mockReturnValue();
    await train(directory);
    expect(warn.mock.calls).toEqual([
      [expect.stringMatching(/^Cannot read .* Going on from the checkpoint before it\.$/)],
    ]);
    warn.mockRestore();
    expect(contentOf(directory)).toEqual(whole);
  });
});
