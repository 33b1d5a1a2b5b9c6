import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { ImageData } from "../data/image-set";
import { DivergedError } from "../engine/errors";
import { lockFolder, whileLocked } from "../files/folder-lock";
import { disposeTraining } from "../train/state";
import type { Preset } from "../tables/presets";
import type { QueueOverlap, RunRecord } from "../tables/result";
import { loadCheckpoint } from "../train/checkpoint";
import { makeManifest } from "../train/manifest";
import { checkpointFile, pretrain, type PretrainOptions, type TrainingProgress } from "../train/pretrain";
import { recipeHash, type Recipe } from "../train/recipe";
import { evaluateEncoder, monitorKnn } from "./evaluate-encoder";
import { queueOverlap } from "./queue-overlap";
import { readRunRecord, writeRunRecord } from "./run-record";

/** Folder of unrecorded runs, beside the notebooks; git ignores it. */
export const runsFolder = join(__dirname, "..", "..", "runs");

export const runRecordFile = "run.json";

/** Name of the run of a recipe and a seed, as a folder or a file. The hash makes sure that another recipe never finds it. */
export function runName(recipe: Recipe, seed: number): string {
  return `${recipe.name}-${recipeHash(recipe)}-seed${seed}`;
}

/** Where the run of a recipe and a seed lies. */
export function runDirectory(recipe: Recipe, seed: number, root = runsFolder): string {
  return join(root, runName(recipe, seed));
}

/** The options with which a cell of an ablation is pre-trained: its folder, and the kNN monitor of the preset. */
export function cellTraining(recipe: Recipe, seed: number, data: ImageData, preset: Preset): PretrainOptions {
  return {
    seed,
    directory: runDirectory(recipe, seed),
    monitor: { times: preset.monitorTimes, evaluate: (encoder) => monitorKnn(encoder, data, preset) },
  };
}

export interface RunCellOptions {
  readonly onProgress?: (progress: TrainingProgress) => void;
  readonly stopRequested?: () => boolean;
}

/**
 * From a recipe and a seed to its run: looked up if it is finished, gone on with if it was interrupted, else trained and
 * evaluated. Nothing finished is ever done again; {@link forgetRun} makes it so.
 */
export async function runCell(
  recipe: Recipe,
  seed: number,
  data: ImageData,
  preset: Preset,
  { onProgress, stopRequested }: RunCellOptions = {},
): Promise<RunRecord> {
  const options = cellTraining(recipe, seed, data, preset);
  const path = join(options.directory, runRecordFile);
  const finished = readRunRecord(path);
  if (finished) return finished;
  return whileLocked(options.directory, async () => {
    const record = await trainAndEvaluate(recipe, seed, data, preset, {
      ...options,
      ...(stopRequested && { stopRequested }),
      ...(onProgress && { onProgress }),
    });
    writeRunRecord(path, record);
    return record;
  });
}

async function trainAndEvaluate(
  recipe: Recipe,
  seed: number,
  data: ImageData,
  preset: Preset,
  { onProgress, ...options }: PretrainOptions & Pick<RunCellOptions, "onProgress">,
): Promise<RunRecord> {
  let diverged: string | undefined;
  let last: TrainingProgress | undefined;
  try {
    for await (const progress of pretrain(recipe, data, options)) {
      last = progress;
      onProgress?.(progress);
    }
  } catch (error) {
    if (!(error instanceof DivergedError)) throw error;
    diverged = error.message;
  }
  if (diverged === undefined) return evaluateRun(recipe, seed, data, preset);
  return {
    manifest: makeManifest(recipe, seed, data, { seconds: last?.seconds ?? 0, steps: last?.step ?? 0 }),
    curve: last?.history.curve ?? [],
    monitor: last?.history.monitor ?? [],
    queueOverlap: overlapOf(recipe, seed, data),
    evaluation: undefined,
    diverged,
  };
}

/** Evaluates the checkpoint of a finished training. */
function evaluateRun(recipe: Recipe, seed: number, data: ImageData, preset: Preset): RunRecord {
  const { state } = loadCheckpoint(join(runDirectory(recipe, seed), checkpointFile));
  const record: RunRecord = {
    manifest: makeManifest(recipe, seed, data, { seconds: state.seconds, steps: state.step }),
    curve: state.history.curve,
    monitor: state.history.monitor,
    queueOverlap: overlapOf(recipe, seed, data),
    evaluation: evaluateEncoder(state.method.encoder, data, preset, seed),
    diverged: undefined,
  };
  disposeTraining(state);
  return record;
}

function overlapOf(recipe: Recipe, seed: number, { train }: ImageData): QueueOverlap | undefined {
  return recipe.method.kind === "moco" ? queueOverlap(train, { ...recipe, ...recipe.method }, seed) : undefined;
}

/**
 * Deletes a run, so that it is trained anew.
 *
 * @throws InputError if another process works on it
 */
export function forgetRun(recipe: Recipe, seed: number): void {
  const directory = runDirectory(recipe, seed);
  if (!existsSync(directory)) return;
  const lock = lockFolder(directory);
  rmSync(directory, { recursive: true, force: true });
  lock.release();
}
