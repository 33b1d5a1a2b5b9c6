import { resolve } from "node:path";
import type { ImageData } from "../data/image-set";
import { textTable } from "../display/table";
import { InputError } from "../errors";
import { pretrainingSet } from "../experiments/cost/training-sets";
import type { TrainingSetFacts } from "../methods/method";
import { recipeValues } from "../recipes/recipe-values";
import { runsFolder } from "../runs/run-name";
import type { Recipe } from "../train/recipe";
import { measuredLoad, tellDryRun } from "./dry-run";
import type { PretrainFlags } from "./pretrain";

/** Prints each value of a recipe with its source. */
export function explain(recipe: Recipe, json: boolean | undefined): void {
  const values = recipeValues(recipe);
  if (json) console.log(JSON.stringify({ name: recipe.name, values }, null, 2));
  else {
    console.log(
      `${recipe.name}\n${textTable(values.map(({ field, value, source }) => ({ value: field, is: JSON.stringify(value), source })))}`,
    );
  }
}

/** Says what a training would need: its data, and memory, disk and time. Exit code 1 if something is missing. */
export async function dryRun(
  recipe: Recipe,
  load: () => Promise<ImageData>,
  { json, output }: Pick<PretrainFlags, "json" | "output">,
): Promise<void> {
  const missing: string[] = [];
  const { set, text, dataBytes } = await factsOf(recipe, load, missing);
  const directory = output === undefined ? runsFolder : resolve(output);
  const lessMemory = lessMemoryFor(recipe);
  await tellDryRun(
    { task: "pre-training", recipe, set },
    { data: text, dataBytes, missing, directory, lessMemory, json },
  );
}

async function factsOf(
  recipe: Recipe,
  load: () => Promise<ImageData>,
  missing: string[],
): Promise<{ readonly set: TrainingSetFacts; readonly text: string; readonly dataBytes: number }> {
  const published = pretrainingSet(recipe);
  try {
    const { data, bytes: dataBytes } = await measuredLoad(load);
    const { train } = data;
    const set = { images: train.labels.length, classes: train.classes.length };
    if (published && published.images !== set.images) {
      missing.push(`images: ${recipe.dataset} has ${set.images} to train on, published are ${published.images}`);
    }
    return { set, text: `${recipe.dataset}: ${set.images} images of ${set.classes} classes to train on`, dataBytes };
  } catch (error) {
    if (!(error instanceof InputError) || published === undefined) throw error;
    missing.push(`data: ${error.message}`);
    return {
      set: published,
      text: `${recipe.dataset} is not there; ${published.images} images are taken for it`,
      dataBytes: 0,
    };
  }
}

/** What makes the same step fit. */
function lessMemoryFor({ method, batchSize, bnGroups }: Recipe): string {
  // SimCLR passes both views of an image in one.
  const chunkSize = Math.ceil(batchSize / bnGroups / (method.kind === "simclr" ? 2 : 1));
  const chunked =
    method.kind === "simclr" || method.kind === "end-to-end" || (method.kind === "moco" && !method.symmetric);
  return chunked
    ? `The same step fits with fewer images at a time: --set method.chunkSize=${chunkSize}`
    : "Choose a smaller --batch-size";
}
