import { rmSync } from "node:fs";
import { join } from "node:path";
import type { ImageData } from "../data/image-set";
import { DivergedError } from "../errors";
import { lockFolder } from "../files/folder-lock";
import { disposeTraining } from "../train/state";
import type { Preset } from "../recipes/presets";
import type { QueueOverlap, RunRecord } from "./run-record";
import { loadCheckpoint } from "../train/checkpoint";
import { makeManifest } from "../train/manifest";
import { checkpointFile, pretrain, type PretrainOptions, type TrainingProgress } from "../train/pretrain";
import type { Recipe } from "../train/recipe";
import { evaluateEncoder, monitorKnn } from "./evaluate-encoder";
import { foundOrMade } from "./found-or-made";
import { queueOverlap } from "./queue-overlap";
import { namesIn, runName, runNamesOf, runsFolder, type NamedRecipe } from "./run-name";
import { readRunRecord, writeRunRecord } from "./run-record";

export const runRecordFile = "run.json";

/**
 * Where the run of a recipe and a seed lies.
 *
 * @param data - what it is trained on
 */
export function runDirectory(
  recipe: NamedRecipe,
  { checksum }: Pick<ImageData, "checksum">,
  seed: number,
  root = runsFolder,
): string {
  return join(root, runName(recipe, checksum, seed));
}

/** The options with which a cell of an ablation is pre-trained: its folder, and the kNN monitor of the preset. */
export function cellTraining(
  recipe: Recipe,
  seed: number,
  data: ImageData,
  preset: Preset,
  root = runsFolder,
): PretrainOptions {
  return {
    seed,
    directory: runDirectory(recipe, data, seed, root),
    monitor: { times: preset.monitorTimes, evaluate: (encoder) => monitorKnn(encoder, data, preset) },
  };
}

export interface RunCellOptions {
  readonly onProgress?: (progress: TrainingProgress) => void;
  readonly stopRequested?: () => boolean;
  /** Seconds between checkpoints. @default as `pretrain` has it */
  readonly checkpointSeconds?: number;
  /** Folder of the runs. @default "runs" beside the notebooks */
  readonly root?: string;
}

/**
 * The first half of {@link runCell}: trains up to the last checkpoint, or goes on with it; another process may evaluate it. A
 * training that diverges leaves it to the second half to say so.
 *
 * @returns the run's folder
 */
export async function pretrainCell(
  recipe: Recipe,
  seed: number,
  data: ImageData,
  preset: Preset,
  { onProgress, root, ...options }: RunCellOptions = {},
): Promise<string> {
  const training = { ...cellTraining(recipe, seed, data, preset, root), ...options };
  const { directory } = training;
  await foundOrMade(join(directory, runRecordFile), readRunRecord, async () => {
    try {
      for await (const progress of pretrain(recipe, data, training)) onProgress?.(progress);
    } catch (error) {
      if (!(error instanceof DivergedError)) throw error;
    }
  });
  return directory;
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
  { onProgress, root, ...training }: RunCellOptions = {},
): Promise<RunRecord> {
  const options = cellTraining(recipe, seed, data, preset, root);
  const path = join(options.directory, runRecordFile);
  return foundOrMade(path, readRunRecord, async () => {
    const record = await trainAndEvaluate(recipe, seed, data, preset, {
      ...options,
      ...training,
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
  if (diverged === undefined) return evaluateRun(recipe, seed, data, preset, options.directory);
  return {
    manifest: makeManifest({ recipe, seed, data, encoder: undefined }, last),
    curve: last?.history.curve ?? [],
    monitor: last?.history.monitor ?? [],
    queueOverlap: overlapOf(recipe, seed, data),
    evaluation: undefined,
    diverged,
  };
}

/** Evaluates the checkpoint of a finished training. */
function evaluateRun(recipe: Recipe, seed: number, data: ImageData, preset: Preset, directory: string): RunRecord {
  const { state } = loadCheckpoint(join(directory, checkpointFile));
  const record: RunRecord = {
    manifest: makeManifest({ recipe, seed, data, encoder: state.method.encoder }, state),
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
 * Deletes a run, on whatever data, so that it is trained anew.
 *
 * @throws InputError if another process works on it
 */
export function forgetRun(recipe: Recipe, seed: number): void {
  for (const name of runNamesOf(namesIn(runsFolder), recipe, seed)) forgetFolder(join(runsFolder, name));
}

/** Deletes the folder of a run. */
export function forgetFolder(directory: string): void {
  const lock = lockFolder(directory);
  rmSync(directory, { recursive: true, force: true });
  lock.release();
}
