import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { annotationChecksum, loadDetectionData } from "../detection/detection-data";
import type { DetectionSet } from "../detection/detection-set";
import { resampleFigures } from "../detection/resample-figures";
import { detectorRunFile, predictionsFile, readDetectorRun, readPredictionsFile } from "../detection/run-detector";
import { InputError } from "../engine/errors";
import { replaceFile } from "../files/replace-file";
import { drawImages, type ImageDraws } from "../statistics/two-level-bootstrap";
import type { Transfer, TransferRow } from "../tables/transfer";
import type { Recipe } from "../train/recipe";
import { transferResult, type TransferResult, type TransferRun } from "../tables/transfer-result";
import { readTestSet, writeTestSet } from "./recorded-test-set";
import { runsFolder } from "./run-cell";
import { transferDirectory, transferRunName } from "./run-transfer";
import { ownRuns, recordedRuns, resultsFolder } from "./stored-result";

/** Where finished runs of rows lie as files. */
export interface TransferStore {
  readonly run: (row: TransferRow, seed: number) => string;
  /** In COCO's results format, packed where the name ends in ".gz". */
  readonly predictions: (row: TransferRow, seed: number) => string;
}

/** The runs made on this machine. */
export function ownTransferRuns(root = runsFolder): TransferStore {
  return {
    run: (row, seed) => join(transferDirectory(row, seed, root), detectorRunFile),
    predictions: (row, seed) => join(transferDirectory(row, seed, root), predictionsFile),
  };
}

/** The runs that the kit's tables were recorded from. */
export function recordedTransferRuns({ name }: Transfer, root = resultsFolder): TransferStore {
  const path = (row: TransferRow, seed: number) => join(root, name, transferRunName(row, seed));
  return {
    run: (row, seed) => `${path(row, seed)}.json`,
    predictions: (row, seed) => `${path(row, seed)}.predictions.json.gz`,
  };
}

/** Draws of the test images that intervals rest on. */
const imageDraws = { count: 1000, seed: 0 } as const;

/**
 * Puts the runs that are there together; trains nothing.
 *
 * @param test - the test part, of which the pixels are not needed
 * @param seeds - seeds from 1 upward that are looked at
 * @throws InputError if a run was read on other test images
 */
export function storedTransfer(
  transfer: Transfer,
  test: DetectionSet,
  store: TransferStore,
  seeds = Infinity,
): TransferResult {
  const draws = drawImages(test.images.length, imageDraws.count, imageDraws.seed);
  const checksum = annotationChecksum(test);
  return transferResult(
    transfer,
    transfer.rows.map((row) => runsOf(row, { test, checksum, draws }, store, seeds)),
  );
}

function runsOf(
  row: TransferRow,
  { test, checksum, draws }: { readonly test: DetectionSet; readonly checksum: string; readonly draws: ImageDraws },
  store: TransferStore,
  seeds: number,
): TransferRun[] {
  const runs: TransferRun[] = [];
  for (let seed = 1; seed <= seeds; seed++) {
    const path = store.run(row, seed);
    const run = readDetectorRun(path);
    if (run === undefined) break;
    if (run.manifest.data.test.checksum !== checksum) {
      throw new InputError(`Cannot use the run ${path}: it was read on other test images than ${test.name}`);
    }
    const detections = readPredictionsFile(store.predictions(row, seed), test, run.predictionsChecksum);
    runs.push({ run, figures: resampleFigures(test, detections, row.detection, draws) });
  }
  return runs;
}

/**
 * Copies the finished runs of seeds 1 to `seeds` to the recorded ones, with the annotations of the test part where it is not
 * made by the kit itself. The runs of their pre-training go to those of its preset, unless they are there.
 *
 * @returns how many detectors were copied
 */
export function recordTransfer(transfer: Transfer, test: DetectionSet, seeds: number, root = resultsFolder): number {
  const [from, to] = [ownTransferRuns(), recordedTransferRuns(transfer, root)];
  const found = transfer.rows.flatMap((row) =>
    Array.from({ length: seeds }, (_, index) => ({ row, seed: index + 1 })).filter(({ seed }) =>
      existsSync(from.run(row, seed)),
    ),
  );
  for (const { row, seed } of found) {
    replaceFile(to.run(row, seed), readFileSync(from.run(row, seed)));
    replaceFile(to.predictions(row, seed), gzipSync(readFileSync(from.predictions(row, seed)), { level: 9 }));
    if (row.pretraining !== undefined) recordPretraining(row.pretraining, seed, transfer, root);
  }
  if (transfer.rows[0]!.detection.dataset.kind !== "scenes") writeTestSet(testSetPath(transfer, root), test);
  return found.length;
}

function recordPretraining(recipe: Recipe, seed: number, { preset }: Transfer, root: string): void {
  const [from, to] = [ownRuns().run(recipe, seed), recordedRuns(preset, root).run(recipe, seed)];
  if (existsSync(to) || !existsSync(from)) return;
  replaceFile(to, readFileSync(from));
}

/**
 * The test part that recorded runs were read on: composed anew, or its recorded annotations.
 *
 * @throws InputError if there are none
 */
export async function recordedTestSet(transfer: Transfer, root = resultsFolder): Promise<DetectionSet> {
  const { dataset } = transfer.rows[0]!.detection;
  if (dataset.kind === "scenes") return (await loadDetectionData(dataset, undefined)).test;
  const path = testSetPath(transfer, root);
  if (existsSync(path)) return readTestSet(path);
  throw new InputError(
    `Cannot show what was recorded of ${transfer.name}: there is nothing yet, make it by: ` +
      `moco transfer --preset ${transfer.name} --root FOLDER --record`,
  );
}

function testSetPath({ name }: Transfer, root: string): string {
  return join(root, name, "test-annotations.json.gz");
}
