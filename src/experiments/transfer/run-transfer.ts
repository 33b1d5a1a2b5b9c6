import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { loadData, parseDataName } from "../../data/load";
import { loadDetectionData, type DetectionData } from "../../detection/data/detection-data";
import type { Initialization } from "../../detection/train/detector-training";
import { runDetector, type DetectorRun } from "../../runs/run-detector";
import type { DetectorProgress } from "../../detection/train/train-detector";
import { InputError } from "../../errors";
import { readIfWhole } from "../../files/generations";
import type { Preset } from "../../recipes/presets";
import type { RunRecord } from "../../runs/run-record";
import type { Transfer, TransferRow } from "./transfer";
import { checkpointFile, type TrainingProgress } from "../../train/pretrain";
import type { Recipe } from "../../train/recipe";
import { detectorInitialization, ofFile } from "../../runs/detector-initialization";
import { detectorDirectory } from "../../runs/detector-directory";
import { runCell, runDirectory } from "../../runs/run-cell";
import { readRunRecord } from "../../runs/run-record";
import { ownRuns } from "../../runs/run-store";

/** How often AP50 on the validation part is read over the training of a row: enough for a curve. */
const validations = 4;

/** Told how a row gets on. */
export interface TransferListener {
  /** While the row's encoder is pre-trained. */
  readonly onPretraining?: (row: TransferRow, seed: number, progress: TrainingProgress) => void;
  /** While its detector is trained. */
  readonly onProgress?: (row: TransferRow, seed: number, progress: DetectorProgress) => void;
}

export interface RunTransferOptions extends TransferListener {
  /** Seeds 1 to `seeds` of each row. */
  readonly seeds: number;
  /** Which rows; by default all. */
  readonly wanted?: (row: TransferRow) => boolean;
  readonly stopRequested?: () => boolean;
}

/**
 * Trains or looks up the detectors of a transfer, seed by seed: pre-training is looked up, gone on with or done, then the
 * detector in the same way.
 *
 * @param data - what the rows share
 * @throws InputError if a row's pre-training diverged
 */
export async function runTransfer(transfer: Transfer, data: DetectionData, options: RunTransferOptions): Promise<void> {
  const { seeds, wanted = () => true } = options;
  const shared = JSON.stringify(transfer.rows[0]!.detection.dataset);
  for (let seed = 1; seed <= seeds; seed++) {
    for (const row of transfer.rows.filter(wanted)) {
      const { dataset } = row.detection;
      // A control has data of its own, all of which the kit makes.
      const of = JSON.stringify(dataset) === shared ? data : await loadDetectionData(dataset, undefined);
      await runTransferRow(row, seed, of, transfer.preset, options);
    }
  }
}

/**
 * One row with one seed.
 *
 * @param preset - of the pre-training
 * @throws InputError if the row's pre-training diverged
 */
async function runTransferRow(
  row: TransferRow,
  seed: number,
  data: DetectionData,
  preset: Preset,
  { onPretraining, onProgress, stopRequested }: Omit<RunTransferOptions, "seeds" | "wanted"> = {},
): Promise<DetectorRun> {
  const stop = stopRequested && { stopRequested };
  const initialization = await initializationOf(row, seed, preset, {
    onProgress: (progress) => onPretraining?.(row, seed, progress),
    ...stop,
  });
  return runDetector(row.detection, data, {
    seed,
    directory: detectorDirectory(row.detection, { initialization, data }, seed),
    validations,
    onProgress: (progress) => onProgress?.(row, seed, progress),
    initialization,
    ...stop,
  });
}

async function initializationOf(
  { pretraining, detection }: TransferRow,
  seed: number,
  preset: Preset,
  options: Parameters<typeof runCell>[4],
): Promise<Initialization> {
  if (pretraining === undefined) return detectorInitialization("random", detection, seed);
  const { directory, record } =
    findPretraining(pretraining, seed) ?? (await pretrain(pretraining, seed, preset, options));
  const path = join(directory, checkpointFile);
  if (record.diverged === undefined && existsSync(path)) return ofFile(basename(directory), path);
  throw new InputError(
    `Cannot initialize the detector: ${record.diverged ?? `${directory} has no ${checkpointFile}; delete the folder to train it again`}`,
  );
}

/** A finished run of an encoder. */
interface Pretraining {
  readonly directory: string;
  readonly record: RunRecord;
}

function findPretraining(recipe: Recipe, seed: number): Pretraining | undefined {
  const path = ownRuns().run(recipe, seed);
  const record = path === undefined ? undefined : readIfWhole(path, readRunRecord);
  return path === undefined || record === undefined ? undefined : { directory: dirname(path), record };
}

async function pretrain(
  recipe: Recipe,
  seed: number,
  preset: Preset,
  options: Parameters<typeof runCell>[4],
): Promise<Pretraining> {
  const data = await loadData(parseDataName(recipe.dataset), { size: recipe.imageSize });
  return { directory: runDirectory(recipe, data, seed), record: await runCell(recipe, seed, data, preset, options) };
}
