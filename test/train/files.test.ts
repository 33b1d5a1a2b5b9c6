import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, expect, it } from "vitest";
import { loadImageFolder } from "../../src/data/image-folder";
import type { FileSet, ImageData } from "../../src/data/image-set";
import { randomStream } from "../../src/engine/random";
import { tf } from "../../src/engine/tf";
import { checkpointFile, pretrain } from "../../src/train/pretrain";
import { decodeSafetensors } from "../../src/weights/safetensors";
import { tinyRecipe } from "./tiny";

const recipe = tinyRecipe(); // 2 epochs of 3 steps
let root: string;
let data: ImageData<FileSet>;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "moco-files-"));
  mkdirSync(join(root, "images"));
  const random = randomStream(0, "test", "files");
  for (let index = 0; index < 26; index++) {
    const [width, height] = [9 + (index % 7), 8 + (index % 5)];
    const pixels = Buffer.from(Array.from({ length: 3 * width * height }, () => random.integer(256)));
    await sharp(pixels, { raw: { width, height, channels: 3 } }).toFile(join(root, "images", `${index}.jpg`));
  }
  data = await loadImageFolder(join(root, "images"), { size: 8 });
});
afterAll(() => rmSync(root, { recursive: true }));

async function train(folder: string, until = Infinity): Promise<number[]> {
  const losses: number[] = [];
  for await (const { step, loss } of pretrain(recipe, data, { seed: 1, directory: join(root, folder) })) {
    losses.push(loss);
    if (step === until) break;
  }
  return losses;
}

/** All of a checkpoint but the time that training took. */
function contentOf(folder: string) {
  const path = join(root, folder, checkpointFile);
  const { tensors, metadata } = decodeSafetensors(readFileSync(path), path);
  const { seconds: _, ...rest } = metadata;
  return { tensors: [...tensors].map(([name, { values }]) => [name, Buffer.from(values.buffer)]), metadata: rest };
}

it("training on files goes on bit for bit from the middle of an epoch, and leaves no tensors behind", async () => {
  const { numTensors } = tf.memory();
  const whole = await train("whole");
  expect(whole).toHaveLength(6);
  expect(await train("stopped", 4)).toEqual(whole.slice(0, 4));
  expect(await train("stopped")).toEqual(whole.slice(4));
  expect(contentOf("stopped")).toEqual(contentOf("whole"));
  expect(tf.memory().numTensors).toBe(numTensors);
}, 180_000);

it("training on files stops at one that cannot be read, by name", async () => {
  writeFileSync(join(root, "images", "7.jpg"), "no image");
  // Read with the size and time that it has now, as in a set that is too large to be decoded when it is loaded.
  const { files } = data.train;
  const unseen = { ...files, modified: files.modified.map(() => 0) };
  const broken = { ...data, train: { ...data.train, files: unseen } };
  const run = async () => {
    for await (const _ of pretrain(recipe, broken, { seed: 1, directory: join(root, "broken") })) break;
  };
  await expect(run()).rejects.toThrow(/Cannot read images of images\/train: replace or remove those of .*\n.*\.jpg: /);
});
