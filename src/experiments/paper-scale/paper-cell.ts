import { join } from "node:path";
import type { ImageData } from "../../data/image-set";
import { loadData, parseDataName } from "../../data/load";
import { DivergedError } from "../../errors";
import { paperLinearRecipe, type LinearRecipe } from "../../evaluate/linear-recipe";
import type { LinearProgress } from "../../evaluate/train-linear";
import { writeCheckedJson } from "../../files/checked-json";
import { whileLocked } from "../../files/folder-lock";
import { readOrSetAside } from "../../files/generations";
import { finishTraining } from "../../runs/finished-training";
import { runDirectory } from "../../runs/run-cell";
import { linearDirectory, runLinear, type LinearRun } from "../../runs/run-linear";
import { runsFolder } from "../../runs/run-name";
import { loadCheckpoint } from "../../train/checkpoint";
import { makeManifest, manifestFile, readManifest, type Manifest } from "../../train/manifest";
import { checkpointFile, pretrain, type TrainingProgress } from "../../train/pretrain";
import type { Recipe } from "../../train/recipe";
import { disposeTraining } from "../../train/state";
import type { Cell } from "../ablation/ablation";
import { paperSeed } from "./paper-ablation";

/** The images that a row of the paper is trained on: all of the training part, nothing held out. */
export function paperData({ dataset, imageSize }: Recipe): Promise<ImageData> {
  return loadData(parseDataName(dataset), { size: imageSize, holdOut: false });
}

/** A cell whose pre-training has ended. */
export interface PretrainedCell {
  /** The run's folder. */
  readonly directory: string;
  /** Without an encoder where the training diverged. */
  readonly manifest: Manifest;
}

/** What steers both halves of a cell. */
export interface PaperCellOptions {
  readonly stopRequested?: () => boolean;
  /** Seconds between checkpoints. @default as `pretrain` has it */
  readonly checkpointSeconds?: number;
  /** Folder of the runs. @default "runs" of the project */
  readonly root?: string;
}

/**
 * The first half of a row of the paper: pre-trains by its recipe, or goes on with it; what is finished is looked up. That a
 * training diverged is an outcome, as it is in the paper's own table of m, and is not tried again.
 *
 * @param data - of {@link paperData}
 * @throws InputError as `pretrain` does
 */
export async function pretrainPaperCell(
  recipe: Recipe,
  data: ImageData,
  {
    root = runsFolder,
    onProgress,
    ...options
  }: PaperCellOptions & { readonly onProgress?: (progress: TrainingProgress) => void } = {},
): Promise<PretrainedCell> {
  const directory = runDirectory(recipe, data, paperSeed, root);
  const path = join(directory, manifestFile);
  return whileLocked(directory, async () => {
    const written = readOrSetAside(path, readManifest);
    if (written?.encoder === null) return { directory, manifest: written };
    let last: TrainingProgress | undefined;
    try {
      for await (const progress of pretrain(recipe, data, { ...options, seed: paperSeed, directory })) {
        last = progress;
        onProgress?.(progress);
      }
    } catch (error) {
      if (!(error instanceof DivergedError)) throw error;
      const manifest = makeManifest({ recipe, seed: paperSeed, data, encoder: undefined }, last);
      writeCheckedJson(path, manifest, 2);
      return { directory, manifest };
    }
    return { directory, manifest: finishTraining(directory, data, last !== undefined).manifest };
  });
}

/**
 * The second half: trains a linear classifier on what the first half left, by the paper's protocol, or goes on with it; what is
 * finished is looked up.
 *
 * @returns undefined where the pre-training diverged: there is nothing to classify by
 * @throws InputError as `runLinear` does
 */
export async function classifyPaperCell(
  { label, recipe }: Pick<Cell, "label" | "recipe">,
  data: ImageData,
  { directory, manifest }: PretrainedCell,
  {
    linear = paperLinearRecipe,
    root = runsFolder,
    ...options
  }: PaperCellOptions & {
    /** Recipe of the classifier, whatever its data set and size of images. @default the paper's */
    readonly linear?: LinearRecipe;
    readonly onProgress?: (progress: LinearProgress) => void;
  } = {},
): Promise<LinearRun | undefined> {
  if (manifest.encoder === null) return undefined;
  const { state } = loadCheckpoint(join(directory, checkpointFile));
  try {
    const { encoder } = state.method;
    const by = linearOnData(linear, recipe);
    const folder = linearDirectory(by, encoder, data, paperSeed, root);
    return await runLinear(by, encoder, data, { ...options, title: label, seed: paperSeed, directory: folder });
  } finally {
    disposeTraining(state);
  }
}

/** The recipe of a linear classifier for the images that a network was pre-trained on. */
export function linearOnData(
  linear: LinearRecipe,
  { dataset, imageSize }: Pick<LinearRecipe, "dataset" | "imageSize">,
): LinearRecipe {
  return { ...linear, dataset, imageSize };
}
