/**
 * What a large folder of images costs: how long it takes to find 1,281,167 files in 1,000 class folders, as many as ImageNet has, and
 * whether memory stays flat over 5,000 batches of 20,000 JPEG files.
 *
 *   npm run bench -- large-folder [FOLDER]      FOLDER is where the files are made and deleted again; needs 1.3 million of them
 */
import { ftruncateSync, closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { loadImageFolder } from "../src/data/image-folder";
import { randomStream } from "../src/engine/random";
import { tf } from "../src/engine/tf";
import { mocoV2Recipe } from "../src/recipes/paper-recipes";
import { Batches } from "../src/train/draw-batch";

const imagenet = { train: 1_281_167, val: 50_000, classes: 1000 } as const;
/** The mean length of ImageNet's files. The files made here have it, and no content. */
const bytesOfFile = 110_000;

const [jpegs, batchSize, batchCount, readEvery] = [20_000, 32, 5_000, 250] as const;

function makeEmpty(folder: string, count: number): void {
  for (let label = 0; label < imagenet.classes; label++) {
    const place = join(folder, `n${String(label).padStart(8, "0")}`);
    mkdirSync(place, { recursive: true });
    for (let image = label; image < count; image += imagenet.classes) {
      const file = openSync(join(place, `${image}.JPEG`), "w");
      ftruncateSync(file, bytesOfFile);
      closeSync(file);
    }
  }
}

async function startUp(root: string): Promise<void> {
  makeEmpty(join(root, "train"), imagenet.train);
  makeEmpty(join(root, "val"), imagenet.val);
  for (const time of ["first", "second"]) {
    const begin = performance.now();
    const { train, test } = await loadImageFolder(root, { size: 224, holdOut: false });
    const seconds = (performance.now() - begin) / 1000;
    const count = train.ids.length + test.ids.length;
    console.log(`${count} files found in ${seconds.toFixed(1)} s the ${time} time, ${megabytes()} MB resident`);
  }
}

async function flatMemory(root: string): Promise<void> {
  const random = randomStream(0, "photographs");
  for (let label = 0; label < 10; label++) mkdirSync(join(root, "train", String(label)), { recursive: true });
  for (let image = 0; image < jpegs; image++) {
    const [width, height] = [48 + random.integer(33), 48 + random.integer(33)];
    const pixels = Uint8Array.from({ length: width * height * 3 }, () => random.integer(256));
    const file = await sharp(pixels, { raw: { width, height, channels: 3 } })
      .jpeg()
      .toBuffer();
    writeFileSync(join(root, "train", String(image % 10), `${image}.jpg`), file);
  }
  const data = await loadImageFolder(root, { size: 32 });
  const recipe = { ...mocoV2Recipe(200), batchSize };
  const batches = new Batches(data, recipe, { seed: 0, views: [{}, {}], totalSteps: batchCount });
  for (let step = 0; step < batchCount; step++) {
    const batch = batches.at(step);
    tf.dispose(batch.views());
    batch.release?.();
    if ((step + 1) % readEvery !== 0) continue;
    console.log(`after ${step + 1} batches: ${megabytes()} MB resident, ${tf.memory().numTensors} tensors`);
  }
  batches.dispose();
}

function megabytes(): string {
  return (process.memoryUsage().rss / 2 ** 20).toFixed(0);
}

async function main([folder = tmpdir()]: readonly string[]): Promise<void> {
  for (const [name, measure] of [
    ["many-files", startUp],
    ["many-batches", flatMemory],
  ] as const) {
    const root = mkdtempSync(join(folder, `bench-${name}-`));
    try {
      await measure(root);
    } finally {
      rmSync(root, { recursive: true });
    }
  }
}

void main(process.argv.slice(2));
