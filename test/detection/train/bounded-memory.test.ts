import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import sharp from "sharp";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readCoco } from "../../../src/detection/data/read-coco";
import { readTrainingBatch, shuffledBatches } from "../../../src/detection/train/training-batches";
import { randomStream } from "../../../src/engine/random";
import { tf } from "../../../src/engine/tf";
import { tinyDetection } from "../tiny-detection";

// Of 1.1 MB decoded, so that one that is kept is seen.
const [count, width, height] = [24, 720, 512] as const;

let root: string;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "moco-bounded-"));
  for (const folder of ["train", "annotations"]) mkdirSync(join(root, folder));
  const ids = Array.from({ length: count }, (_, index) => index + 1);
  await Promise.all(
    ids.map((id) =>
      sharp({ create: { width, height, channels: 3, background: { r: 8 * id, g: 80, b: 9 } } })
        .jpeg()
        .toFile(join(root, "train", `${id}.jpg`)),
    ),
  );
  const object = { category_id: 1, bbox: [100, 100, 300, 200], area: 60_000, iscrowd: 0 };
  const document = {
    images: ids.map((id) => ({ id, file_name: `${id}.jpg`, width, height })),
    categories: [{ id: 1, name: "thing" }],
    annotations: ids.map((id) => ({ ...object, id, image_id: id })),
  };
  writeFileSync(join(root, "annotations", "instances_train.json"), JSON.stringify(document));
});
afterAll(() => rmSync(root, { recursive: true }));

/** Bytes of the arrays that are still in use: V8 frees them on another thread, some time after their owners have gone. */
async function arraysInUse(): Promise<number> {
  setFlagsFromString("--expose_gc");
  const collect = runInNewContext("gc") as () => void;
  let [before, now] = [Infinity, process.memoryUsage().arrayBuffers];
  while (now < before) {
    for (let time = 0; time < 3; time++) {
      collect();
      await setTimeout(50);
    }
    [before, now] = [now, process.memoryUsage().arrayBuffers];
  }
  return now;
}

it("a detector's batches are read from the disk when they are needed, and none is kept", async () => {
  const set = await readCoco(root, "train");
  let read = 0;
  const counted: typeof set = {
    ...set,
    readPixels: (image) => {
      read++;
      return set.readPixels(image);
    },
  };
  const { images, detector } = tinyDetection();
  const recipe = { detector, images: { ...images, trainShortest: [32, 64], longest: 96 } };
  const batches = shuffledBatches(counted.images, 4, (pass) => randomStream(1, "order", pass));
  const train = async (steps: number) => {
    for (let step = 0; step < steps; step++) {
      const { images: tensor } = await readTrainingBatch(
        counted,
        batches.next().value,
        recipe,
        randomStream(1, "augment", step),
      );
      tensor.dispose();
    }
  };
  await train(6);
  expect(read).toBe(count);
  const [arrays, { numTensors }] = [await arraysInUse(), tf.memory()];
  // Two passes more: what was read in the first is read again.
  await train(12);
  expect(read).toBe(3 * count);
  expect((await arraysInUse()) - arrays).toBeLessThan(width * height * 3);
  expect(tf.memory().numTensors).toBe(numTensors);
});
