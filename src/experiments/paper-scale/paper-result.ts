import { existsSync } from "node:fs";
import { join } from "node:path";
import type { ImageData } from "../../data/image-set";
import { loadData, parseDataName } from "../../data/load";
import { paperLinearRecipe, type LinearRecipe } from "../../evaluate/linear-recipe";
import type { LinearProgress } from "../../evaluate/train-linear";
import { finishTraining } from "../../runs/finished-training";
import { runDirectory } from "../../runs/run-cell";
import { linearDirectory, linearRunFile, readLinearRun, runLinear, type LinearRun } from "../../runs/run-linear";
import { findRunName, linearRunNamesOf, namesIn, runsFolder } from "../../runs/run-name";
import { loadCheckpoint } from "../../train/checkpoint";
import { manifestFile, readManifest, type Manifest } from "../../train/manifest";
import { checkpointFile, pretrain, type TrainingProgress } from "../../train/pretrain";
import { recipeHash } from "../../train/recipe-hash";
import { disposeTraining } from "../../train/state";
import type { Ablation, Cell } from "../ablation/ablation";
import type { AblationResult, ResultRow } from "../ablation/ablation-result";

/** Seed of every training: the paper has one of each. */
const seed = 1;

/** A cell that is pre-trained, and classified where the linear protocol has ended too. */
interface TrainedCell {
  readonly manifest: Manifest;
  readonly linear: LinearRun | undefined;
}

/** Options of {@link paperResult}. */
export interface PaperResultOptions {
  /** Recipe of the linear classifier, whatever its data set and size of images. @default the paper's */
  readonly linear?: LinearRecipe;
  /** Folder of the runs. @default "runs" of the project */
  readonly root?: string;
}

/**
 * The paper's rows with what was trained of them, by `moco pretrain` and `moco linear --protocol paper` or by
 * {@link reproducePaper}; trains nothing, and needs no data. A row that has no run says so.
 */
export function paperResult(
  ablation: Ablation,
  { linear = paperLinearRecipe, root = runsFolder }: PaperResultOptions = {},
): AblationResult {
  const names = namesIn(root);
  return {
    ablation,
    rows: ablation.cells.map((cell) => resultRow(cell, trainedCell(cell, names, { linear, root }))),
    publishedOnly: ablation.publishedOnly,
    baselines: {
      randomNetwork: { label: "random network, no draws", metrics: {} },
      pixels: { label: "pixels", metrics: {} },
    },
    draws: 0,
  };
}

/** Options of {@link reproducePaper}. */
export interface ReproducePaperOptions extends PaperResultOptions {
  readonly onProgress?: (cell: Cell, progress: TrainingProgress) => void;
  readonly onLinear?: (cell: Cell, progress: LinearProgress) => void;
  readonly stopRequested?: () => boolean;
}

/**
 * Trains the paper's rows, each by its own recipe on all of the training part, and a linear classifier on each by the
 * paper's protocol. Goes on where it was stopped; what is finished is looked up.
 *
 * @throws InputError if the data set is missing, and as the two trainings do
 */
export async function reproducePaper(
  ablation: Ablation,
  { onProgress, onLinear, stopRequested, linear = paperLinearRecipe, root = runsFolder }: ReproducePaperOptions = {},
): Promise<AblationResult> {
  const stopping = stopRequested && { stopRequested };
  for (const cell of ablation.cells) {
    const { recipe } = cell;
    const data = await loadData(parseDataName(recipe.dataset), { size: recipe.imageSize, holdOut: false });
    const directory = runDirectory(recipe, data, seed, root);
    for await (const progress of pretrain(recipe, data, { seed, directory, ...stopping })) onProgress?.(cell, progress);
    finishTraining(directory, data, false);
    await classify(cell, data, directory, {
      recipe: onData(linear, recipe),
      root,
      ...stopping,
      onProgress: (progress) => onLinear?.(cell, progress),
    });
  }
  return paperResult(ablation, { linear, root });
}

async function classify(
  { label }: Cell,
  data: ImageData,
  pretrained: string,
  {
    recipe,
    root,
    ...options
  }: {
    readonly recipe: LinearRecipe;
    readonly root: string;
    readonly stopRequested?: () => boolean;
    readonly onProgress: (progress: LinearProgress) => void;
  },
): Promise<void> {
  const { state } = loadCheckpoint(join(pretrained, checkpointFile));
  try {
    const { encoder } = state.method;
    const directory = linearDirectory(recipe, encoder, data, seed, root);
    await runLinear(recipe, encoder, data, { ...options, title: label, seed, directory });
  } finally {
    disposeTraining(state);
  }
}

/** The recipe of a linear classifier for the images that a network was pre-trained on. */
function onData(
  linear: LinearRecipe,
  { dataset, imageSize }: Pick<LinearRecipe, "dataset" | "imageSize">,
): LinearRecipe {
  return { ...linear, dataset, imageSize };
}

function trainedCell(
  { recipe }: Cell,
  names: readonly string[],
  { linear, root }: Required<PaperResultOptions>,
): TrainedCell | undefined {
  const name = findRunName(names, recipe, seed);
  const manifest = name === undefined ? undefined : readManifest(join(root, name, manifestFile));
  if (manifest === undefined) return undefined;
  if (manifest.encoder === null) return { manifest, linear: undefined };
  const classified = linearRunNamesOf(names, manifest.encoder, seed).flatMap((of) => {
    const path = join(root, of, linearRunFile);
    return existsSync(path) ? (readLinearRun(path) ?? []) : [];
  });
  return {
    manifest,
    linear: classified.find(
      ({ manifest: { encoder, recipe: by, recipeHash: hash } }) =>
        encoder.checksum === manifest.encoder && hash === recipeHash(onData(linear, by)),
    ),
  };
}

function resultRow({ label, published, publishedAt, claimed }: Cell, trained: TrainedCell | undefined): ResultRow {
  const { topOne } = trained?.linear ?? {};
  return {
    ...{ label, published, publishedAt, claimed },
    seeds: trained === undefined ? 0 : 1,
    metrics: topOne === undefined ? {} : { linear: topOne },
    agreement: {},
    finalLoss: undefined,
    queueOverlap: undefined,
    queueShare: undefined,
    failure: failureOf(trained),
    runs:
      trained === undefined
        ? []
        : [
            {
              manifest: trained.manifest,
              curve: [],
              monitor: [],
              queueOverlap: undefined,
              evaluation: undefined,
              diverged: undefined,
            },
          ],
  };
}

function failureOf(trained: TrainedCell | undefined): string | undefined {
  if (trained === undefined) return "not run";
  if (trained.manifest.encoder === null) return "failed: the training diverged";
  return trained.linear === undefined ? "pre-trained, not classified yet" : undefined;
}
