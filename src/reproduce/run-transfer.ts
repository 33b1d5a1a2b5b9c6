import { existsSync } from "node:fs";
import { join } from "node:path";
import { loadData, parseDataName } from "../data/load";
import type { DetectionData } from "../detection/detection-data";
import type { Initialisation } from "../detection/detector-training";
import { runDetector, type DetectorRun, type RunDetectorOptions } from "../detection/run-detector";
import { InputError } from "../engine/errors";
import type { Preset } from "../tables/presets";
import type { TransferRow } from "../tables/transfer";
import { checkpointFile, type TrainingProgress } from "../train/pretrain";
import { recipeHash, type Recipe } from "../train/recipe";
import { detectorInitialisation, ofFile } from "./detector-initialisation";
import { runCell, runDirectory, runName, runRecordFile, runsFolder } from "./run-cell";
import { readRunRecord } from "./run-record";

/** How often AP50 on the validation part is read over the training of a row: enough for a curve. */
const readings = 4;

export interface RunTransferOptions extends Pick<RunDetectorOptions, "onProgress" | "onPicture"> {
  /** Told while the row's encoder is pre-trained. */
  readonly onPretraining?: (progress: TrainingProgress) => void;
  readonly stopRequested?: () => boolean;
}

/** Name of the run of a row and a seed, as a folder or a file. */
export function transferRunName({ pretraining, detection }: TransferRow, seed: number): string {
  const from = pretraining === undefined ? "random" : `${pretraining.name}-${recipeHash(pretraining)}`;
  return `detect-${detection.name}-${recipeHash(detection)}-${from}-seed${seed}`;
}

/** Where the run of a row and a seed lies. */
export function transferDirectory(row: TransferRow, seed: number, root = runsFolder): string {
  return join(root, transferRunName(row, seed));
}

/**
 * One row with one seed: pre-training is looked up, gone on with or done, then the detector in the same way.
 *
 * @param preset - of the pre-training
 * @throws InputError if the row's pre-training diverged
 */
export async function runTransfer(
  row: TransferRow,
  seed: number,
  data: DetectionData,
  preset: Preset,
  { onPretraining, ...options }: RunTransferOptions = {},
): Promise<DetectorRun> {
  return runDetector(row.detection, data, {
    ...options,
    seed,
    directory: transferDirectory(row, seed),
    readings,
    initialisation: await initialisationOf(row, seed, preset, {
      ...(onPretraining && { onProgress: onPretraining }),
      ...(options.stopRequested && { stopRequested: options.stopRequested }),
    }),
  });
}

async function initialisationOf(
  { pretraining, detection }: TransferRow,
  seed: number,
  preset: Preset,
  options: Parameters<typeof runCell>[4],
): Promise<Initialisation> {
  if (pretraining === undefined) return detectorInitialisation("random", detection, seed);
  const directory = runDirectory(pretraining, seed);
  const record = readRunRecord(join(directory, runRecordFile)) ?? (await pretrain(pretraining, seed, preset, options));
  const path = join(directory, checkpointFile);
  if (record.diverged === undefined && existsSync(path)) return ofFile(runName(pretraining, seed), path);
  throw new InputError(
    `Cannot initialise the detector: ${record.diverged ?? `${directory} has no ${checkpointFile}; delete the folder to train it again`}`,
  );
}

async function pretrain(recipe: Recipe, seed: number, preset: Preset, options: Parameters<typeof runCell>[4]) {
  const data = await loadData(parseDataName(recipe.dataset), { size: recipe.imageSize });
  return runCell(recipe, seed, data, preset, options);
}
