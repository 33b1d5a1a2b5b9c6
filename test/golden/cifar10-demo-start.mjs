/*
 * Writes what both engines start from, for test/golden/cifar10_demo.py: weights, queue, order and pixels.
 *
 *   bin/engine-node test/golden/cifar10-demo-start.mjs folder:PATH SEED OUTPUT
 */
import { Buffer } from "node:buffer";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { batchesPerEpoch, batchIndices, imageTensor } from "../../dist/data/batches.js";
import { loadData } from "../../dist/data/load.js";
import { encodeSafetensors } from "../../dist/weights/safetensors.js";
import { hostTensor, toStateDict } from "../../dist/weights/state-dict.js";
import { cifar10DemoMonitor, cifar10DemoRecipe as recipe } from "../../dist/recipes/cifar10-demo.js";
import { startTraining, trainingDataOf } from "../../dist/train/state.js";

async function main([dataset, seedText, output]) {
  const seed = Number(seedText);
  const data = await loadData(dataset, { size: recipe.imageSize });
  const { train, validation } = data;
  mkdirSync(output, { recursive: true });
  const { method } = startTraining(recipe, { seed, data: trainingDataOf(data) });
  const queue = method.buffers.find(({ name }) => name === "queue");
  const tensors = new Map([...toStateDict(method.encoder.parameters, ""), ["queue", hostTensor(queue.value)]]);
  writeFileSync(join(output, "start.safetensors"), encodeSafetensors({ tensors, metadata: {} }));
  const perEpoch = batchesPerEpoch(train, recipe.batchSize);
  const order = Array.from({ length: recipe.epochs * perEpoch }, (_, step) =>
    Buffer.from(batchIndices(train, recipe.batchSize, seed, step).buffer),
  );
  writeFileSync(join(output, "order.i32"), Buffer.concat(order));
  for (const [name, set] of [
    ["train", train],
    ["validation", validation],
  ]) {
    writeFileSync(join(output, `${name}.u8`), pixelsOf(set));
    writeFileSync(join(output, `${name}-labels.i32`), Buffer.from(set.labels.buffer));
  }
  const facts = {
    recipe,
    monitor: cifar10DemoMonitor,
    mean: data.mean,
    std: data.std,
    perEpoch,
    checksum: data.checksum,
  };
  writeFileSync(join(output, "facts.json"), JSON.stringify(facts));
}

/** All images in bytes: those of the set have the recipe's size, and are taken as they are. */
function pixelsOf(set) {
  const together = 1000;
  const pixels = [];
  for (let first = 0; first < set.ids.length; first += together) {
    const count = Math.min(together, set.ids.length - first);
    const images = imageTensor(
      set,
      Int32Array.from({ length: count }, (_, at) => first + at),
    );
    pixels.push(Uint8Array.from(images.dataSync(), (value) => Math.round(255 * value)));
    images.dispose();
  }
  return Buffer.concat(pixels);
}

await main(process.argv.slice(2));
