/*
 * Writes what both engines start from, for test/golden/cifar10_demo.py: weights, queue, order and pixels.
 *
 *   bin/engine-node test/golden/cifar10-demo-start.js folder:PATH SEED OUTPUT
 */
const { mkdirSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { batchesPerEpoch, batchIndices } = require("../../dist/data/batches");
const { loadData } = require("../../dist/data/load");
const { encodeSafetensors } = require("../../dist/nn/safetensors");
const { toStateDict } = require("../../dist/nn/state-dict");
const { cifar10DemoMonitor, cifar10DemoRecipe: recipe } = require("../../dist/tables/cifar10-demo");
const { startTraining } = require("../../dist/train/state");

async function main([dataset, seedText, output]) {
  const seed = Number(seedText);
  const data = await loadData(dataset, { size: recipe.imageSize });
  const { train, validation } = data;
  mkdirSync(output, { recursive: true });
  const { method } = startTraining(recipe, seed, { pictures: train.labels.length, classes: train.classes.length });
  const tensors = new Map([...toStateDict(method.encoder.parameters, ""), ["queue", method.memory().get("queue")]]);
  writeFileSync(join(output, "start.safetensors"), encodeSafetensors({ tensors, metadata: {} }));
  const perEpoch = batchesPerEpoch(train, recipe.batchSize);
  const order = Array.from({ length: recipe.epochs * perEpoch }, (_, step) =>
    Buffer.from(batchIndices(train, recipe.batchSize, seed, step).buffer),
  );
  writeFileSync(join(output, "order.i32"), Buffer.concat(order));
  for (const [name, set] of [["train", train], ["validation", validation]]) {
    writeFileSync(join(output, `${name}.u8`), set.pixels);
    writeFileSync(join(output, `${name}-labels.i32`), Buffer.from(set.labels.buffer));
  }
  const facts = { recipe, monitor: cifar10DemoMonitor, mean: data.mean, std: data.std, perEpoch, checksum: data.checksum };
  writeFileSync(join(output, "facts.json"), JSON.stringify(facts));
}

void main(process.argv.slice(2));
