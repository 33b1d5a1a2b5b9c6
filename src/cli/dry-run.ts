import { existsSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import { machineFacts } from "../engine/device";
import { InputError } from "../errors";
import { estimateAll, type MeasuredBatches } from "../experiments/cost/estimate-all";
import type { TrainingCost } from "../experiments/cost/estimate-training";
import { duration } from "../experiments/cost/estimate-rows";
import type { PlannedTraining } from "../experiments/cost/planned-training";
import { planOf } from "../experiments/cost/training-plan";

/** What a training takes, by steps that were measured. */
interface Needs {
  readonly steps: number;
  readonly secondsAStep: number;
  readonly seconds: number;
  /** Peak of the process, and what the machine, or the container, has. */
  readonly memory: { readonly needed: number; readonly there: number };
  /** Two generations of the checkpoint and the one that is being written, and what is free. */
  readonly disk: { readonly needed: number; readonly there: number };
}

/** What a training needs, and what of it is missing. */
interface DryRun extends Partial<Needs> {
  readonly recipe: string;
  readonly data: string;
  readonly missing: readonly string[];
}

/** A step that takes less is measured as it is: two or three of them. */
const cheapSeconds = 20;

export interface DryRunOptions {
  /** The data, in words, and the bytes by which the process has grown by loading them. */
  readonly data: string;
  readonly dataBytes: number;
  /** What was found missing so far. */
  readonly missing: readonly string[];
  /** Whether it can be trained on the data at all. If not, nothing is measured. */
  readonly fits: boolean;
  /** Where the run would be written. */
  readonly directory: string;
  /** What makes the same step fit, for whom memory is too small. */
  readonly lessMemory: string;
  readonly json: boolean | undefined;
}

/** Loads data, and tells by how many bytes the process has grown meanwhile. */
export async function measuredLoad<T>(load: () => Promise<T>): Promise<{ readonly data: T; readonly bytes: number }> {
  const before = process.memoryUsage.rss();
  const data = await load();
  return { data, bytes: Math.max(0, process.memoryUsage.rss() - before) };
}

/**
 * Says what a training would need: memory, disk and time from steps that are measured on random images. Exit code 1 if something
 * is missing.
 *
 * @throws InputError if a step cannot be measured
 */
export async function tellDryRun(training: PlannedTraining, options: DryRunOptions): Promise<void> {
  const { data, dataBytes, directory, lessMemory, json } = options;
  const missing = [...options.missing];
  const needs = options.fits ? await needsOf(training, { dataBytes, directory }) : undefined;
  if (needs !== undefined) {
    const { memory, disk } = needs;
    if (memory.needed > memory.there) missing.push(`memory: ${gigabytes(memory.needed - memory.there)}. ${lessMemory}`);
    if (disk.needed > disk.there) missing.push(`disk: ${gigabytes(disk.needed - disk.there)}`);
  }
  if (missing.length > 0) process.exitCode = 1;
  const { name } = training.recipe;
  if (json) console.log(JSON.stringify({ recipe: name, data, ...needs, missing } satisfies DryRun, null, 2));
  else console.log([name, `data: ${data}`, ...(needs ? describe(needs) : []), describeMissing(missing)].join("\n"));
}

async function needsOf(
  training: PlannedTraining,
  { dataBytes, directory }: Pick<DryRunOptions, "dataBytes" | "directory">,
): Promise<Needs> {
  const { secondsAStep, seconds, peakBytes, measured } = await measuredCost(training);
  return {
    steps: planOf(training).iterations,
    secondsAStep,
    seconds,
    memory: { needed: peakBytes + dataBytes, there: machineFacts().memory.total },
    disk: { needed: 3 * measured[0]!.heldBytes, there: freeBytes(directory) },
  };
}

/** A step of the recipe's own batch where that is cheap, which is the surest; else it is foretold from smaller batches. */
async function measuredCost(training: PlannedTraining): Promise<TrainingCost> {
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort()).once("SIGTERM", () => stop.abort());
  const measure = async (batches?: MeasuredBatches): Promise<TrainingCost> => {
    const [estimated] = await estimateAll([training], { batches, stop: stop.signal });
    const { outcome } = estimated!;
    if ("cost" in outcome) return outcome.cost;
    throw new InputError(`Cannot measure a step of ${training.recipe.name}: ${outcome.failure}`);
  };
  const first = await measure([training.task === "detection" ? 1 : 8]);
  if (!first.extrapolated) return first;
  const cheap = first.peakBytes < machineFacts().memory.total / 4 && first.secondsAStep < cheapSeconds;
  return measure(cheap ? "full" : undefined);
}

function describe({ steps, secondsAStep, seconds, memory, disk }: Needs): string[] {
  const { device } = machineFacts();
  const part = ({ needed, there }: Needs["memory"]) => `${gigabytes(needed)} of ${gigabytes(there)}`;
  return [
    `time: ${steps} steps of ${secondsAStep.toPrecision(3)} s, ${duration(seconds)} on ${device}`,
    `memory: about ${part(memory)}${device === "CPU" ? "" : "; the GPU's is not in it"}`,
    `disk: ${part(disk)}`,
  ];
}

function describeMissing(missing: readonly string[]): string {
  return missing.length === 0 ? "Nothing is missing." : `Missing:\n${missing.map((line) => `  ${line}`).join("\n")}`;
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
