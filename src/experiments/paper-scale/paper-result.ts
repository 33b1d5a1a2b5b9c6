import { existsSync } from "node:fs";
import { join } from "node:path";
import { paperLinearRecipe, type LinearRecipe } from "../../evaluate/linear-recipe";
import type { LinearProgress } from "../../evaluate/train-linear";
import { linearRunFile, readLinearRun, type LinearRun } from "../../runs/run-linear";
import { findRunName, linearRunNamesOf, namesIn, runsFolder } from "../../runs/run-name";
import { manifestFile, readManifest, type Manifest } from "../../train/manifest";
import type { TrainingProgress } from "../../train/pretrain";
import { recipeHash } from "../../train/recipe-hash";
import type { Ablation, Cell } from "../ablation/ablation";
import type { AblationResult, ResultRow } from "../ablation/ablation-result";
import { paperSeed } from "./paper-ablation";
import { classifyPaperCell, linearOnData, paperData, pretrainPaperCell } from "./paper-cell";

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
      randomNetworks: [],
      pixels: { label: "pixels", names: [], metrics: {} },
    },
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
 * paper's protocol. Goes on where it was stopped; what is finished is looked up. A row whose training diverges says so.
 *
 * @throws InputError if the data set is missing, and as the two trainings do
 */
export async function reproducePaper(
  ablation: Ablation,
  { onProgress, onLinear, linear = paperLinearRecipe, ...options }: ReproducePaperOptions = {},
): Promise<AblationResult> {
  for (const cell of ablation.cells) {
    const data = await paperData(cell.recipe);
    const pretrained = await pretrainPaperCell(cell.recipe, data, {
      ...options,
      onProgress: (progress) => onProgress?.(cell, progress),
    });
    await classifyPaperCell(cell, data, pretrained, {
      ...options,
      linear,
      onProgress: (progress) => onLinear?.(cell, progress),
    });
  }
  return paperResult(ablation, { ...options, linear });
}

function trainedCell(
  { recipe }: Cell,
  names: readonly string[],
  { linear, root }: Required<PaperResultOptions>,
): TrainedCell | undefined {
  const name = findRunName(names, recipe, paperSeed);
  const manifest = name === undefined ? undefined : readManifest(join(root, name, manifestFile));
  if (manifest === undefined) return undefined;
  if (manifest.encoder === null) return { manifest, linear: undefined };
  const classified = linearRunNamesOf(names, manifest.encoder, paperSeed).flatMap((of) => {
    const path = join(root, of, linearRunFile);
    return existsSync(path) ? (readLinearRun(path) ?? []) : [];
  });
  return {
    manifest,
    linear: classified.find(
      ({ manifest: { encoder, recipe: by, recipeHash: hash } }) =>
        encoder.checksum === manifest.encoder && hash === recipeHash(linearOnData(linear, by)),
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
