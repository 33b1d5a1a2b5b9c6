import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { annotationChecksum, composedTestSet } from "../../detection/data/detection-data";
import type { Detection, DetectionSet } from "../../detection/structures/detection-set";
import { resampleMetrics } from "../../detection/metric/resample-metrics";
import { detectorRunFile, predictionsFile, readDetectorRun, readPredictionsFile } from "../../runs/run-detector";
import { InputError } from "../../errors";
import { replaceFile } from "../../files/replace-file";
import { drawImages, type ImageDraws } from "../../statistics/two-level-bootstrap";
import type { Transfer, TransferRow } from "./transfer";
import type { Recipe } from "../../train/recipe";
import { transferResult, type TransferResult, type TransferRun } from "./transfer-result";
import { readTestSet, writeTestSet } from "./recorded-test-set";
import { findDetectorName, findRunName, namesIn, resultsFolder, runsFolder } from "../../runs/run-name";
import { readRunRecord } from "../../runs/run-record";
import { ownRuns, recordedRuns, type RunStore } from "../../runs/run-store";

/** Where finished runs of rows lie as files. */
export interface TransferStore {
  /** undefined if there is none. */
  readonly run: (row: TransferRow, seed: number) => string | undefined;
  /** The detections of a run's file, in COCO's results format; packed where the name ends in ".gz". */
  readonly predictions: (run: string) => string;
}

/** The runs made on this machine that are there now: the folder is listed once. */
export function ownTransferRuns(root = runsFolder): TransferStore {
  const names = namesIn(root);
  const nameOf = rowNames(names, names, ownRuns(root));
  return {
    run: (row, seed) => {
      const name = nameOf(row, seed);
      return name && existing(join(root, name, detectorRunFile));
    },
    predictions: (run) => join(dirname(run), predictionsFile),
  };
}

/** The runs that the kit's tables were recorded from, those that are there now. */
export function recordedTransferRuns({ name, preset }: Transfer, root = resultsFolder): TransferStore {
  const folder = join(root, name);
  const encoders = namesIn(join(root, preset.name), ".json");
  const nameOf = rowNames(namesIn(folder, ".json"), encoders, recordedRuns(preset, root));
  return {
    run: (row, seed) => {
      const found = nameOf(row, seed);
      return found && existing(recordedRun(folder, found));
    },
    predictions: recordedPredictions,
  };
}

const recordedRun = (folder: string, name: string) => join(folder, `${name}.json`);
const recordedPredictions = (run: string) => run.replace(/\.json$/, ".predictions.json.gz");

function existing(path: string): string | undefined {
  return existsSync(path) ? path : undefined;
}

/**
 * Names of rows' runs; which encoder each began with is in the run of its pre-training, which is read once.
 *
 * @param detectors - names of runs to look among
 * @param encoders - the same of runs of pre-training
 */
function rowNames(
  detectors: readonly string[],
  encoders: readonly string[],
  { place }: Pick<RunStore, "place">,
): (row: TransferRow, seed: number) => string | undefined {
  const checksums = new Map<string, string | null | undefined>();
  const checksumOf = (name: string) => {
    if (!checksums.has(name)) checksums.set(name, readRunRecord(place(name))?.manifest.encoder);
    return checksums.get(name);
  };
  return ({ pretraining, detection }, seed) => {
    if (pretraining === undefined) return findDetectorName(detectors, detection, null, seed);
    const name = findRunName(encoders, pretraining, seed);
    const encoder = name && checksumOf(name);
    return encoder == null ? undefined : findDetectorName(detectors, detection, encoder, seed);
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
    if (path === undefined || run === undefined) break;
    if (run.manifest.data.test.checksum !== checksum) {
      throw new InputError(`Cannot use the run ${path}: it was read on other test images than ${test.name}`);
    }
    const detections = readPredictionsFile(store.predictions(path), test, run.predictionsChecksum);
    runs.push({ run, metrics: resampleMetrics(test, detections, row.detection, draws) });
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
  const from = ownTransferRuns();
  const found = transfer.rows.flatMap((row) =>
    Array.from({ length: seeds }, (_, index) => index + 1).flatMap((seed) => {
      const path = from.run(row, seed);
      return path === undefined ? [] : [{ row, seed, path }];
    }),
  );
  for (const { row, seed, path } of found) {
    const place = recordedRun(join(root, transfer.name), basename(dirname(path)));
    replaceFile(place, readFileSync(path));
    replaceFile(recordedPredictions(place), gzipSync(readFileSync(from.predictions(path)), { level: 9 }));
    if (row.pretraining !== undefined) recordPretraining(row.pretraining, seed, transfer, root);
  }
  if (transfer.rows[0]!.detection.dataset.kind !== "scenes") writeTestSet(testSetPath(transfer, root), test);
  return found.length;
}

function recordPretraining(recipe: Recipe, seed: number, { preset }: Transfer, root: string): void {
  const path = ownRuns().run(recipe, seed);
  if (path === undefined) return;
  const place = recordedRuns(preset, root).place(basename(dirname(path)));
  if (!existsSync(place)) replaceFile(place, readFileSync(path));
}

/**
 * The test part that recorded runs were read on: composed anew, or its recorded annotations.
 *
 * @throws InputError if there are none
 */
export async function recordedTestSet(transfer: Transfer, root = resultsFolder): Promise<DetectionSet> {
  const { dataset } = transfer.rows[0]!.detection;
  if (dataset.kind === "scenes") return composedTestSet(dataset);
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

/**
 * What the detector of a row found in the test part.
 *
 * @throws InputError if there is no such run
 */
export function storedDetections(
  transfer: Transfer,
  {
    row: label,
    seed,
    test,
    store,
  }: { readonly row: string; readonly seed: number; readonly test: DetectionSet; readonly store: TransferStore },
): readonly Detection[] {
  const row = transfer.rows.find((one) => one.label === label);
  const path = row && store.run(row, seed);
  const run = readDetectorRun(path);
  if (path === undefined || run === undefined) {
    throw new InputError(`Cannot find the detector ${label}, seed ${seed}, of ${transfer.name}: there is no such run`);
  }
  return readPredictionsFile(store.predictions(path), test, run.predictionsChecksum);
}
