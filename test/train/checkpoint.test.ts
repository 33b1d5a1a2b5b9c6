import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { InputError } from "../../src/errors";
import { randomStream } from "../../src/engine/random";
import { tf } from "../../src/engine/tf";
import { decodeSafetensors, encodeSafetensors, type SafetensorsContent } from "../../src/weights/safetensors";
import { assertSameTraining, loadCheckpoint, saveCheckpoint } from "../../src/train/checkpoint";
import { TrainingStep } from "../../src/train/take-step";
import { disposeTraining, startTraining, type TrainingState } from "../../src/train/state";
import { batchIndices } from "../../src/data/batches";
import { drawBatch } from "../../src/train/draw-batch";
import type { Optimizer } from "../../src/train/optimizer";
import type { Recipe } from "../../src/train/recipe";
import { tinyData, tinyMethods, tinyMoco, tinyRecipe } from "./tiny";

const recipe = tinyRecipe();
const data = { checksum: "a".repeat(64), images: 26, classes: 2 };
let folder: string;
let path: string;
/** Takes a step, so it is made once: for what only writes and reads it. */
let state: TrainingState;

beforeAll(() => void (state = someState()));
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "moco-"));
  path = join(folder, "run", "checkpoint.safetensors");
});
afterEach(() => rmSync(folder, { recursive: true }));
afterAll(() => disposeTraining(state));

/** A state in which every value differs from the start's. */
function someState(of: Recipe = recipe): TrainingState {
  const state = startTraining(of, { seed: 7, data });
  const random = randomStream(1, "test");
  const noise = (size: number) => tf.tensor1d(Float32Array.from({ length: size }, () => random.normal()));
  for (const { parameters, running } of Object.values(state.method.networks)) {
    parameters.replace(noise(parameters.size));
    running!.replace(noise(running!.size));
  }
  for (const [name, { momentumBuffer }] of state.optimizers) {
    momentumBuffer.assign(noise(state.method.networks[name]!.parameters.size));
  }
  // Moves the queue or the bank, and leaves the networks as they are but for their running averages.
  const step = new TrainingStep(
    { ...state, optimizers: new Map([...state.optimizers.keys()].map((name) => [name, idle])) },
    of.optimizer,
  );
  step.take(drawBatch(tinyData(), recipe, { seed: 7, step: 0, views: state.method.views }), 0, "step 1");
  step.dispose();
  state.step = 5;
  state.seconds = 12.345;
  state.history = {
    curve: [{ step: 4, epoch: 1, loss: 1 / 3, accuracy: 0.1 }],
    monitor: [{ step: 3, knn: 2 / 7 }],
    pending: { loss: Math.PI, accuracy: 1e-300, gradientNorm: 1e30, steps: 1 },
  };
  return state;
}

/** An optimizer that leaves everything as it is. */
const idle = { apply: () => undefined } as unknown as Optimizer;

const tensorsOf = ({ method, optimizers }: TrainingState) => [
  ...Object.values(method.networks).flatMap(({ parameters, running }) => [
    parameters.values.dataSync(),
    running!.values.dataSync(),
  ]),
  ...[...optimizers.values()].map(({ velocity }) => velocity.dataSync()),
  ...(method.buffers ?? []).map(({ value }) => value.dataSync()),
];

function saved(): Buffer {
  saveCheckpoint(path, state, recipe);
  return readFileSync(path);
}

/** Whether the file loads; if not, it must be by an InputError that names the file. */
function loads(bytes: Uint8Array): boolean {
  writeFileSync(path, bytes);
  const before = tf.memory().numTensors;
  try {
    disposeTraining(loadCheckpoint(path).state);
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    expect((error as Error).message).toContain(path);
    return false;
  } finally {
    expect(tf.memory().numTensors).toBe(before);
  }
}

describe("a checkpoint", () => {
  it("brings back all that training needs, bit for bit", () => {
    saveCheckpoint(path, state, recipe);
    const before = tf.memory().numTensors;
    const loaded = loadCheckpoint(path);
    expect(loaded.recipe).toEqual(recipe);
    expect(tensorsOf(loaded.state)).toEqual(tensorsOf(state));
    const { seed, step, history, seconds } = loaded.state;
    expect({ seed, step, history, seconds }).toEqual({ seed: 7, step: 5, history: state.history, seconds: 12.345 });
    const buffer = (name: string) => loaded.state.method.buffers!.find((one) => one.name === name)!.value.dataSync();
    expect([...buffer("queue_pointer")]).toEqual([8]);
    expect([...buffer("queue_images").slice(0, 8)]).toEqual([...batchIndices(tinyData().train, 8, 7, 0)]);
    disposeTraining(loaded.state);
    expect(tf.memory().numTensors).toBe(before);
  });

  it.each(tinyMethods())("holds all of every method: $name", (one) => {
    const before = tf.memory().numTensors;
    const other = someState(one);
    saveCheckpoint(path, other, one);
    const loaded = loadCheckpoint(path);
    expect(loaded.recipe).toEqual(one);
    expect(tensorsOf(loaded.state)).toEqual(tensorsOf(other));
    disposeTraining(other);
    disposeTraining(loaded.state);
    expect(tf.memory().numTensors).toBe(before);
  });

  it("is the same file when what was read is written again", () => {
    const bytes = saved();
    const loaded = loadCheckpoint(path).state;
    saveCheckpoint(path, loaded, recipe);
    expect(readFileSync(path).equals(bytes)).toBe(true);
    disposeTraining(loaded);
  });

  it("replaces the one before, which stays beside it, and leaves no other file in the folder", () => {
    const first = saved();
    expect(readdirSync(join(folder, "run"))).toEqual(["checkpoint.safetensors"]);
    saved();
    saved();
    expect(readdirSync(join(folder, "run")).sort()).toEqual([
      "checkpoint.previous.safetensors",
      "checkpoint.safetensors",
    ]);
    expect(readFileSync(join(folder, "run", "checkpoint.previous.safetensors")).equals(first)).toBe(true);
  });

  it("holds PyTorch's names and layouts", () => {
    const { tensors } = decodeSafetensors(saved(), path);
    const names = [...tensors.keys()];
    expect(names).toContain("encoder_q.layer4.1.bn2.running_var");
    expect(names).toContain("encoder_k.fc.2.bias");
    expect(tensors.get("encoder_q.conv1.weight")!.shape).toEqual([2, 3, 3, 3]);
    expect(tensors.get("velocity.encoder_q.fc.2.weight")!.shape).toEqual([8, 16]);
    expect(tensors.get("queue")!.shape).toEqual([24, 8]);
  });
});

describe("loadCheckpoint", () => {
  it("says when there is no file, or a folder in its place", () => {
    expect(() => loadCheckpoint(path)).toThrow(InputError);
    expect(() => loadCheckpoint(path)).toThrow(`there is no file ${path}`);
    expect(() => loadCheckpoint(folder)).toThrow(InputError);
  });

  it("refuses a file cut short anywhere", () => {
    const bytes = saved();
    const header = 8 + Number(bytes.readBigUInt64LE(0));
    for (const length of [0, 4, 8, 100, header - 1, header, header + 4, bytes.length >> 1, bytes.length - 1]) {
      expect(loads(bytes.subarray(0, length)), `cut to ${length} of ${bytes.length} bytes`).toBe(false);
    }
  });

  it("refuses a damaged header or loads it, but never fails in another way", () => {
    const bytes = saved();
    const header = 8 + Number(bytes.readBigUInt64LE(0));
    let refused = 0;
    for (let position = 0; position < header; position += 97) {
      const damaged = Buffer.from(bytes);
      damaged[position]! ^= 0x15;
      if (!loads(damaged)) refused++;
    }
    expect(refused).toBeGreaterThan(header / 97 / 2);
  });

  const metadataChange = (changes: Record<string, string>) => (content: SafetensorsContent) => ({
    ...content,
    metadata: { ...content.metadata, ...changes },
  });
  const tensorChange = (name: string, shape: number[]) => (content: SafetensorsContent) => ({
    ...content,
    tensors: new Map([
      ...content.tensors,
      [name, { shape, values: new Float32Array(tf.util.sizeFromShape(shape)) }] as const,
    ]),
  });
  const tensorValue = (name: string, value: number) => (content: SafetensorsContent) => ({
    ...content,
    tensors: new Map([...content.tensors, [name, { shape: [1], values: Float32Array.of(value) }] as const]),
  });
  it.each([
    ["no metadata", (content: SafetensorsContent) => ({ ...content, metadata: {} })],
    ["another format", metadataChange({ format: "something else" })],
    ["a recipe that is no JSON", metadataChange({ recipe: "{" })],
    ["a recipe that is not valid", metadataChange({ recipe: JSON.stringify({ ...recipe, epochs: -1 }) })],
    [
      "a recipe of another network",
      metadataChange({ recipe: JSON.stringify(tinyRecipe({ method: tinyMoco({ queueSize: 32 }) })) }),
    ],
    ["a history that is no JSON", metadataChange({ history: "" })],
    ["a history of other fields", metadataChange({ history: "{}" })],
    ["a step that is no number", metadataChange({ step: "five" })],
    ["a step below zero", metadataChange({ step: "-1" })],
    ["an empty seed", metadataChange({ seed: "" })],
    ["a pointer beyond the queue", tensorValue("queue_pointer", 24)],
    ["a pointer within a batch", tensorValue("queue_pointer", 3)],
    ["no images of the queue", tensorChange("queue_images", [1])],
    ["seconds that are no number", metadataChange({ seconds: "NaN" })],
    ["a flat queue", tensorChange("queue", [24 * 8])],
    ["a queue of another size", tensorChange("queue", [16, 8])],
    ["a tensor that no network has", tensorChange("encoder_q.layer9.weight", [1])],
    ["a weight of another shape", tensorChange("encoder_k.fc.2.bias", [9])],
    ["a velocity of another shape", tensorChange("velocity.encoder_q.fc.2.bias", [9])],
    [
      "a tensor missing",
      ({ tensors, metadata }: SafetensorsContent) => ({
        metadata,
        tensors: new Map([...tensors].filter(([name]) => name !== "encoder_q.bn1.running_mean")),
      }),
    ],
  ])("refuses %s", (_, change) => {
    const content = decodeSafetensors(saved(), path);
    expect(loads(encodeSafetensors(content))).toBe(true);
    expect(loads(encodeSafetensors(change(content)))).toBe(false);
  });
});

describe("assertSameTraining", () => {
  it("refuses another recipe or seed and says what differs", () => {
    const checkpoint = { recipe, state };
    expect(() =>
      assertSameTraining(path, checkpoint, { recipe: tinyRecipe({ name: "renamed" }), seed: 7, data }),
    ).not.toThrow();
    expect(() => assertSameTraining(path, checkpoint, { recipe, seed: 8, data })).toThrow(InputError);
    expect(() => assertSameTraining(path, checkpoint, { recipe, seed: 8, data })).toThrow(
      /with seed 7, asked for is .* with seed 8/,
    );
    const other = tinyRecipe({ method: tinyMoco({ momentum: 0.5 }) });
    expect(() => assertSameTraining(path, checkpoint, { recipe: other, seed: 7, data })).toThrow(
      `Cannot go on from ${path}`,
    );
    expect(() =>
      assertSameTraining(path, checkpoint, { recipe, seed: 7, data: { ...data, checksum: "b".repeat(64) } }),
    ).toThrow(
      "it was trained on data of checksum aaaaaaaaaaaa (26 images), given is data of checksum bbbbbbbbbbbb (26 images)",
    );
  });
});
