import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { InputError } from "../../src/errors";
import { tf } from "../../src/engine/tf";
import { lockFile } from "../../src/files/folder-lock";
import { previousOf } from "../../src/files/generations";
import { decodeSafetensors } from "../../src/weights/safetensors";
import { readWeights } from "../../src/weights/weights-file";
import { loadCheckpoint, resumeCheckpoint } from "../../src/train/checkpoint";
import { checkpointFile, pretrain, type TrainingProgress } from "../../src/train/pretrain";
import { disposeTraining } from "../../src/train/state";
import { install } from "../files/faulty-files.cjs";
import { tinyData, tinyRecipe } from "./tiny";

const data = tinyData();
const recipe = tinyRecipe(); // 2 epochs of 3 steps
let root: string;
let whole: ReturnType<typeof contentOf>;
let wholeSteps: number[];

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "moco-resume-"));
  wholeSteps = (await train(join(root, "whole"))).map(({ step }) => step);
  whole = contentOf(join(root, "whole"));
  // Stopped after step 4: that is the newest, and step 3 the one before.
  const options = { seed: 1, directory: join(root, "stopped"), checkpointSeconds: 0 };
  for await (const { step } of pretrain(recipe, data, options)) if (step === 4) break;
}, 60_000);
afterAll(() => rmSync(root, { recursive: true }));

async function train(directory: string): Promise<TrainingProgress[]> {
  const progress: TrainingProgress[] = [];
  for await (const step of pretrain(recipe, data, { seed: 1, directory, checkpointSeconds: 0 })) progress.push(step);
  return progress;
}

/** All of a checkpoint but the time that training took. */
function contentOf(directory: string) {
  const { tensors, metadata } = decodeSafetensors(readFileSync(join(directory, checkpointFile)), directory);
  const { seconds: _, ...rest } = metadata;
  return { tensors: [...tensors].map(([name, { values }]) => [name, Buffer.from(values.buffer)]), metadata: rest };
}

let directory: string;
let path: string;
let warnings: string[];
let tensors: number;
let folders = 0;
beforeEach(() => {
  directory = join(root, String(++folders));
  path = join(directory, checkpointFile);
  warnings = [];
  vi.spyOn(console, "warn").mockImplementation((line: string) => void warnings.push(line));
  tensors = tf.memory().numTensors;
  cpSync(join(root, "stopped"), directory, { recursive: true });
});
afterEach(() => {
  vi.restoreAllMocks();
  expect(tf.memory().numTensors).toBe(tensors);
});

/** Goes on with the training, and checks that it ends as the undisturbed one. */
async function goOn(): Promise<number> {
  const [first] = await train(directory);
  expect(contentOf(directory)).toEqual(whole);
  expect(existsSync(join(directory, lockFile))).toBe(false);
  return first!.step;
}

const headerEnd = (bytes: Buffer) => 8 + Number(bytes.readBigUInt64LE(0));
function flip(bytes: Buffer, position: number): Buffer {
  bytes[position]! ^= 4;
  return bytes;
}
const damages: readonly (readonly [string, (bytes: Buffer) => Buffer])[] = [
  ["cut in its tensors", (bytes) => bytes.subarray(0, bytes.length - 1)],
  ["cut in its header", (bytes) => bytes.subarray(0, 1000)],
  ["empty", () => Buffer.alloc(0)],
  ["of one wrong bit in its tensors", (bytes) => flip(bytes, headerEnd(bytes) + 4001)],
  ["of one wrong bit in its last byte", (bytes) => flip(bytes, bytes.length - 1)],
  ["of one wrong bit in its history", (bytes) => flip(bytes, bytes.indexOf("curve") + 30)],
  ["of one wrong bit in its step", (bytes) => flip(bytes, bytes.indexOf('"step":"4"') + 8)],
  ["of one wrong bit in its length", (bytes) => flip(bytes, 0)],
];

describe("a training whose newest checkpoint is damaged", () => {
  it("has checkpoints of the last two steps to begin with", async () => {
    expect(wholeSteps).toEqual([1, 2, 3, 4, 5, 6]);
    const steps = [path, previousOf(path)].map((file) => readWeights(file).metadata["step"]);
    expect(steps).toEqual(["4", "3"]);
    expect(await goOn()).toBe(5);
    expect(warnings).toEqual([]);
  });

  it.each(damages)("has the one before to go on from: %s", (_, damage) => {
    const before = readFileSync(previousOf(path));
    writeFileSync(path, damage(readFileSync(path)));
    for (const read of [loadCheckpoint, readWeights]) {
      expect(() => read(path)).toThrow(InputError);
      expect(() => read(path)).toThrow(`Cannot read ${path}: `);
      expect(() => read(path)).toThrow(`The checkpoint before it is ${previousOf(path)}`);
    }
    expect(readFileSync(previousOf(path)).equals(before)).toBe(true);
    const { state } = resumeCheckpoint(path)!;
    expect(state.step).toBe(3);
    disposeTraining(state);
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/^Cannot read .*checkpoint\.safetensors: .*Going on from the checkpoint before it\.$/);
  });

  it("ends as the undisturbed one", async () => {
    const bytes = readFileSync(path);
    writeFileSync(path, flip(bytes, headerEnd(bytes) + 4001));
    expect(await goOn()).toBe(4);
    expect(warnings).toHaveLength(1);
  });

  it("starts anew when the one before is damaged too", async () => {
    for (const file of [path, previousOf(path)]) writeFileSync(file, readFileSync(file).subarray(0, 5000));
    expect(await goOn()).toBe(1);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/There is no checkpoint to go on from: starting anew\.$/);
  });
});

describe("a training", () => {
  it("goes on from a checkpoint without a checksum, and says so", async () => {
    // As the kit wrote them before: the checksum under a name that means nothing.
    const bytes = readFileSync(path);
    bytes.write("no", bytes.indexOf("moco-kit sha256"));
    writeFileSync(path, bytes);
    expect(await goOn()).toBe(5);
    expect(warnings).toEqual([`${path} has no checksum: whether it is damaged cannot be told.`]);
  });

  it("refuses a folder in which another process trains, names it, and leaves all as it was", async () => {
    const holder = { pid: process.ppid, started: null, host: hostname(), since: "2026-01-01T00:00:00.000Z" };
    writeFileSync(join(directory, lockFile), JSON.stringify(holder));
    const before = readFileSync(path);
    await expect(train(directory)).rejects.toThrow(InputError);
    await expect(train(directory)).rejects.toThrow(`process ${process.ppid} on ${hostname()} has worked in it since`);
    expect(readFileSync(path).equals(before)).toBe(true);
    rmSync(join(directory, lockFile));
    expect(await goOn()).toBe(5);
  });

  it("ends with an error for people when the disk is full, and goes on once it is not", async () => {
    const size = readFileSync(path).length;
    for (const bytes of [size - 1, Math.floor(1.5 * size)]) {
      const fault = install({ call: "writeSync", path: checkpointFile, bytes, fault: "ENOSPC" });
      const stopped: unknown = await train(directory)
        .then(undefined, (error: unknown) => error)
        .finally(fault.remove);
      expect(stopped).toBeInstanceOf(InputError);
      expect((stopped as Error).message).toMatch(
        /Cannot write .*the disk is full \(ENOSPC\); it needs \d+ bytes, free are \d+\. What was there before is kept\. Free space/,
      );
      expect(existsSync(join(directory, lockFile))).toBe(false);
    }
    expect(await goOn()).toBe(6);
    expect(warnings).toEqual([]);
  });
});
