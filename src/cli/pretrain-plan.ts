import { existsSync, statfsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { ImageData } from "../data/image-set";
import { textTable } from "../display/table";
import { machineFacts } from "../engine/device";
import { InputError } from "../errors";
import { estimateAll } from "../experiments/cost/estimate-all";
import { duration } from "../experiments/cost/estimate-rows";
import type { PlannedTraining } from "../experiments/cost/planned-training";
import { pretrainingSet } from "../experiments/cost/training-sets";
import { planOf } from "../experiments/cost/training-plan";
import type { TrainingSetFacts } from "../methods/method";
import { recipeValues } from "../recipes/recipe-values";
import { runsFolder } from "../runs/run-name";
import type { Recipe } from "../train/recipe";
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

/** What a training needs, and what of it is missing. */
interface DryRun {
  readonly recipe: string;
  readonly data: string;
  readonly steps: number;
  readonly secondsAStep: number;
  readonly seconds: number;
  /** Peak of the process, and what the machine, or the container, has. */
  readonly memory: { readonly needed: number; readonly there: number };
  /** Two generations of the checkpoint and the one that is being written, and what is free. */
  readonly disk: { readonly needed: number; readonly there: number };
  readonly missing: readonly string[];
}

/**
 * Says what a training would need: its data, and memory, disk and time from steps that are measured on random images. Exit code 1
 * if something is missing.
 */
export async function dryRun(
  recipe: Recipe,
  load: () => Promise<ImageData>,
  { json, output }: Pick<PretrainFlags, "json" | "output">,
): Promise<void> {
  const missing: string[] = [];
  const found = await factsOf(recipe, load, missing);
  const training: PlannedTraining = { task: "pre-training", recipe, set: found.set };
  const { iterations } = planOf(training);
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort()).once("SIGTERM", () => stop.abort());
  const [estimated] = await estimateAll([training], { stop: stop.signal });
  const outcome = estimated!.outcome;
  if ("failure" in outcome) throw new InputError(`Cannot measure a step of ${recipe.name}: ${outcome.failure}`);
  const { cost } = outcome;
  const memory = { needed: cost.peakBytes, there: machineFacts().memory.total };
  if (memory.needed > memory.there) {
    missing.push(`memory: ${gigabytes(memory.needed - memory.there)}. ${lessMemory(recipe)}`);
  }
  const disk = {
    needed: 3 * cost.measured[0]!.heldBytes,
    there: freeBytes(output === undefined ? runsFolder : resolve(output)),
  };
  if (disk.needed > disk.there) missing.push(`disk: ${gigabytes(disk.needed - disk.there)}`);
  const { secondsAStep, seconds } = cost;
  const result: DryRun = {
    recipe: recipe.name,
    data: found.text,
    steps: iterations,
    ...{ secondsAStep, seconds, memory, disk, missing },
  };
  if (missing.length > 0) process.exitCode = 1;
  console.log(json ? JSON.stringify(result, null, 2) : describe(result));
}

async function factsOf(
  recipe: Recipe,
  load: () => Promise<ImageData>,
  missing: string[],
): Promise<{ readonly set: TrainingSetFacts; readonly text: string }> {
  const published = pretrainingSet(recipe);
  try {
    const { train } = await load();
    const set = { images: train.labels.length, classes: train.classes.length };
    if (published && published.images !== set.images) {
      missing.push(`images: ${recipe.dataset} has ${set.images} to train on, published are ${published.images}`);
    }
    return { set, text: `${recipe.dataset}: ${set.images} images of ${set.classes} classes to train on` };
  } catch (error) {
    if (!(error instanceof InputError) || published === undefined) throw error;
    missing.push(`data: ${error.message}`);
    return { set: published, text: `${recipe.dataset} is not there; ${published.images} images are taken for it` };
  }
}

function describe({ recipe, data, steps, secondsAStep, seconds, memory, disk, missing }: DryRun): string {
  const { device } = machineFacts();
  const part = ({ needed, there }: DryRun["memory"]) => `${gigabytes(needed)} of ${gigabytes(there)}`;
  return [
    recipe,
    `data: ${data}`,
    `time: ${steps} steps of ${secondsAStep.toPrecision(3)} s, ${duration(seconds)} on ${device}`,
    `memory: about ${part(memory)}${device === "CPU" ? "" : "; the GPU's is not in it"}`,
    `disk: ${part(disk)}`,
    missing.length === 0 ? "Nothing is missing." : `Missing:\n${missing.map((line) => `  ${line}`).join("\n")}`,
  ].join("\n");
}

/** What makes the same step fit. */
function lessMemory({ method, batchSize, bnGroups }: Recipe): string {
  // SimCLR passes both views of an image in one.
  const chunkSize = Math.ceil(batchSize / bnGroups / (method.kind === "simclr" ? 2 : 1));
  const chunked =
    method.kind === "simclr" || method.kind === "end-to-end" || (method.kind === "moco" && !method.symmetric);
  return chunked
    ? `The same step fits with fewer images at a time: --set method.chunkSize=${chunkSize}`
    : "Choose a smaller --batch-size";
}

/** Of the disk that a folder lies on, or would. */
function freeBytes(folder: string): number {
  let existing = folder;
  while (!existsSync(existing)) existing = dirname(existing);
  const { bavail, bsize } = statfsSync(existing);
  return bavail * bsize;
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
