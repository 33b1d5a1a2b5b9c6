/*
 * Writes what both engines start from, for test/golden/paper_steps.py: weights, queue, and each step's views and permutation.
 *
 *   bin/engine-node test/golden/paper-steps-start.mjs DATASET SEED STEPS OUTPUT [FIELD=VALUE...]
 *
 * The recipe is moco-v1-imagenet; fields are those of --set. OUTPUT takes 0.3 GB a step at batch 256 and 224 px.
 */
import { Buffer } from "node:buffer";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseSetting, recipeFrom } from "../../dist/cli/recipe-flags.js";
import { loadData } from "../../dist/data/load.js";
import { Batches } from "../../dist/train/draw-batch.js";
import { parseRecipe } from "../../dist/train/recipe.js";
import { startTraining, trainingDataOf } from "../../dist/train/state.js";
import { encodeSafetensors } from "../../dist/weights/safetensors.js";
import { hostTensor, toStateDict } from "../../dist/weights/state-dict.js";

async function main([dataset, seedText, stepsText, output, ...fields]) {
  const [seed, totalSteps] = [Number(seedText), Number(stepsText)];
  const settings = [["dataset", dataset], ...fields.map(parseSetting)];
  const recipe = parseRecipe(recipeFrom({ preset: "moco-v1-imagenet" }, settings));
  const data = await loadData(dataset, { size: recipe.imageSize, holdOut: false });
  mkdirSync(output, { recursive: true });
  const { method } = startTraining(recipe, { seed, data: trainingDataOf(data) });
  const queue = method.buffers.find(({ name }) => name === "queue");
  const tensors = new Map([...toStateDict(method.encoder.parameters, ""), ["queue", hostTensor(queue.value)]]);
  writeFileSync(join(output, "start.safetensors"), encodeSafetensors({ tensors, metadata: {} }));
  const batches = new Batches(data, recipe, { seed, views: method.views, totalSteps });
  for (let step = 0; step < totalSteps; step++) {
    const batch = batches.at(step);
    batch.views().forEach((view, which) => {
      const { buffer, byteOffset, byteLength } = view.dataSync();
      writeFileSync(join(output, `view${which}-${step}.f32`), Buffer.from(buffer, byteOffset, byteLength));
      view.dispose();
    });
    const permutation = batch.random("shuffle BN").permutation(batch.size);
    writeFileSync(join(output, `permutation-${step}.i32`), Buffer.from(permutation.buffer));
    batch.release();
  }
  batches.dispose();
  writeFileSync(join(output, "facts.json"), JSON.stringify({ recipe, steps: totalSteps }));
}

await main(process.argv.slice(2));
