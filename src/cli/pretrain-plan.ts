import { resolve } from "node:path";
import type { ImageData } from "../data/image-set";
import { textTable } from "../display/table";
import { InputError } from "../errors";
import { pretrainingSet } from "../experiments/cost/training-sets";
import type { TrainingSetFacts } from "../methods/method";
import { paperRecipes } from "../recipes/paper-recipes";
import { recipeValues, type SetValues } from "../recipes/recipe-values";
import { runsFolder } from "../runs/run-name";
import type { Recipe } from "../train/recipe";
import { measuredLoad, tellDryRun, type DryRunOptions } from "./dry-run";
import { assertEnoughImages } from "./enough-images";
import type { PretrainFlags } from "./pretrain";

/** Prints each value of a recipe with its source. */
export function explain(recipe: Recipe, set: SetValues, json: boolean | undefined): void {
  const values = recipeValues(recipe, set);
  if (json) console.log(JSON.stringify({ name: recipe.name, values }, null, 2));
  else {
    console.log(
      `${recipe.name}\n${textTable(values.map(({ field, value, source }) => ({ value: field, is: JSON.stringify(value), source })))}`,
    );
  }
}

/**
 * Says what a training would need: its data, and memory, disk and time. Exit code 1 if something is missing.
 *
 * @param neighbors - of the kNN readings
 */
export async function dryRun(
  recipe: Recipe,
  load: () => Promise<ImageData>,
  {
    json,
    output,
    preset,
    neighbors,
  }: Pick<PretrainFlags, "json" | "output" | "preset"> & { readonly neighbors: number },
): Promise<void> {
  const { set, ...facts } = await factsOf(recipe, load, { preset, neighbors });
  const directory = output === undefined ? runsFolder : resolve(output);
  await tellDryRun(
    { task: "pre-training", recipe, set },
    { ...facts, directory, lessMemory: lessMemoryFor(recipe), json },
  );
}

interface TrainingFacts extends Pick<DryRunOptions, "data" | "dataBytes" | "missing" | "fits"> {
  readonly set: TrainingSetFacts;
}

/** What is known of the data: of those that are there, or of the paper's where a preset of the paper is to be trained on them. */
async function factsOf(
  recipe: Recipe,
  load: () => Promise<ImageData>,
  { preset, neighbors }: { readonly preset: string; readonly neighbors: number },
): Promise<TrainingFacts> {
  // Of the preset's own data set, wherever the user has it.
  const origin = paperRecipes.find(({ name }) => name === preset) ?? recipe;
  const published = pretrainingSet(origin);
  try {
    const { data, bytes: dataBytes } = await measuredLoad(load);
    const { train } = data;
    const set = { images: train.labels.length, classes: train.classes.length };
    const differs = published && published.images !== set.images;
    // A copy of the paper's set that lacks images is not what was meant; a set of one's own is.
    const lacks = differs && origin.dataset === `folder:${data.name}`;
    const text =
      `${recipe.dataset}: ${count(set.images)} images of ${count(set.classes)} classes to train on` +
      (differs ? `; not the set of ${origin.name}, of ${count(published.images)}` : "");
    const tooFew = refusalOf(() => assertEnoughImages(recipe, data, neighbors));
    if (tooFew !== undefined) return { set, data: text, dataBytes, missing: [`images: ${tooFew}`], fits: false };
    const missing = lacks ? [`images: ${count(published.images - set.images)} of ${count(published.images)}`] : [];
    return { set, data: text, dataBytes, missing, fits: true };
  } catch (error) {
    if (!(error instanceof InputError) || published === undefined) throw error;
    return {
      set: published,
      data: `${recipe.dataset} cannot be loaded; ${count(published.images)} images are taken for it`,
      dataBytes: 0,
      missing: [`data: ${error.message}`],
      fits: true,
    };
  }
}

/** What a check says against what it looks at; undefined where it is content. */
function refusalOf(check: () => void): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
}

/** "1,281,167". */
function count(value: number): string {
  return value.toLocaleString("en-US");
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
