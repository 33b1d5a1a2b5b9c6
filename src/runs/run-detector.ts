import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { InputError } from "../errors";
import { checksumOf, readCheckedJson, readJson, writeCheckedJson } from "../files/checked-json";
import { forgetGenerations } from "../files/generations";
import { replaceFile } from "../files/replace-file";
import { originNow, originSchema } from "../train/manifest";
import { recipeHash } from "../train/recipe-hash";
import { annotationChecksum, type DetectionData } from "../detection/data/detection-data";
import { assertValidationPart, detectionRecipeSchema, type DetectionRecipe } from "../detection/detection-recipe";
import { assertMasks, type Detection, type DetectionSet } from "../detection/structures/detection-set";
import { detectorCheckpointFile, loadDetector } from "../detection/train/detector-checkpoint";
import {
  curveSchema,
  disposeDetectorTraining,
  initializationSchema,
  validationsSchema,
  type DetectorTraining,
} from "../detection/train/detector-training";
import { evaluateDetections } from "../detection/metric/evaluate-detections";
import { detectSet, type DetectSetOptions } from "../detection/train/detect-set";
import { fromCocoResults, toCocoResults, type CocoResult } from "../detection/data/results-json";
import { trainDetector, type DetectorProgress, type TrainDetectorOptions } from "../detection/train/train-detector";
import { foundOrMade } from "./found-or-made";

/** File names in a run's folder, beside the checkpoint. */
export const detectorRunFile = "run.json";
export const predictionsFile = "predictions.json";

// JSON has no NaN, which stands where nothing is to be found.
const figure = z.number().nullable();
const triple = z.tuple([figure, figure, figure]);
const averagePrecision = { ap: figure, ap50: figure, ap75: figure };
const areas = {
  apSmall: figure,
  apMedium: figure,
  apLarge: figure,
  arSmall: figure,
  arMedium: figure,
  arLarge: figure,
};

const cocoMetricsSchema = z.object({ ...averagePrecision, ...areas, ar: triple, categoryAp: z.array(figure) });

const runSchema = z.object({
  manifest: z.object({
    recipe: detectionRecipeSchema,
    recipeHash: z.string(),
    seed: z.number().int(),
    initialization: initializationSchema,
    data: z.object({
      train: z.object({ name: z.string(), images: z.number(), checksum: z.string() }),
      test: z.object({ name: z.string(), images: z.number(), checksum: z.string() }),
    }),
    ...originSchema.shape,
    trainingSeconds: z.number(),
    steps: z.number().int(),
  }),
  /** Of the file of detections; null where they are not kept, as of trials of rates. */
  predictionsChecksum: z.string().nullable(),
  curve: curveSchema,
  /** AP50 on the validation part over the training. */
  validations: validationsSchema,
  /** On the test part. */
  metrics: z.object({
    metric: detectionRecipeSchema.shape.metric,
    ...averagePrecision,
    categories: z.array(z.object({ name: z.string(), ap: figure })),
    classAgnostic: z.object(averagePrecision),
    coco: cocoMetricsSchema.optional(),
    /** Of the masks, where they are predicted. */
    masks: cocoMetricsSchema.optional(),
  }),
});

/** A detector's training and what came of it, as `run.json` has it: metrics are 0 to 1, null where nothing is to be found. */
export type DetectorRun = Readonly<z.infer<typeof runSchema>>;

export interface TrainOnDataOptions extends Omit<TrainDetectorOptions, "monitor"> {
  /** How often AP50 on the validation part is read over the training, unless the recipe's `stopping` says. @default 0 */
  readonly validations?: number;
}

export interface RunDetectorOptions extends Omit<TrainOnDataOptions, "stopAfter"> {
  readonly onProgress?: (progress: DetectorProgress) => void;
  /** Told after each image of the test part. */
  readonly onImage?: DetectSetOptions["onImage"];
}

/**
 * From a recipe, an initialization and a seed to a detector and its metrics on the test part: looked up if they are there,
 * else trained, gone on with where it was interrupted, and evaluated. Writes the manifest with the metrics, and the
 * detections in COCO's results format.
 *
 * @throws InputError if validations are wanted and there is no validation part, and as `trainDetector` does
 */
export async function runDetector(
  recipe: DetectionRecipe,
  data: DetectionData,
  options: RunDetectorOptions,
): Promise<DetectorRun> {
  const { directory } = options;
  if (recipe.detector.masks) assertMasks(data.test);
  return foundOrMade(join(directory, detectorRunFile), readWithPredictions, () =>
    trainAndEvaluate(recipe, data, options),
  );
}

/**
 * Trains a detector on the training part, and reads AP50 on the validation part along it, see {@link trainDetector}.
 *
 * @throws InputError if AP50 is to be read and the recipe names no validation part, and as `trainDetector` does
 */
export function trainOnData(
  recipe: DetectionRecipe,
  { train, validation }: DetectionData,
  { validations = 0, ...options }: TrainOnDataOptions,
): AsyncGenerator<DetectorProgress, void, void> {
  assertValidationPart(recipe, validations);
  const { stopRequested } = options;
  const monitor = validation && {
    times: validations,
    evaluate: async (detector: DetectorTraining["detector"]) => {
      // AP50 is that of boxes: masks would be found for nothing.
      const ofBoxes = { ...detector, config: { ...detector.config, masks: undefined } };
      const found = await detectSet(ofBoxes, validation, recipe.images, stopRequested && { stopRequested });
      return evaluateDetections(validation, found, recipe.metric, ofBoxes.config).ap50;
    },
  };
  return trainDetector(recipe, train, { ...options, ...(monitor && { monitor }) });
}

async function trainAndEvaluate(
  recipe: DetectionRecipe,
  data: DetectionData,
  { onProgress, onImage, ...options }: RunDetectorOptions,
): Promise<DetectorRun> {
  const { directory, stopRequested } = options;
  const path = join(directory, detectorRunFile);
  for await (const progress of trainOnData(recipe, data, options)) onProgress?.(progress);

  const { training } = loadDetector(join(directory, detectorCheckpointFile));
  try {
    const found = await detectSet(training.detector, data.test, recipe.images, {
      ...(stopRequested && { stopRequested }),
      ...(onImage && { onImage }),
    });
    const results = toCocoResults(data.test, found).map(shortened);
    replaceFile(join(directory, predictionsFile), JSON.stringify(results));
    // Of what is in the file, so that other programs find the same metrics.
    const detections = fromCocoResults(data.test, results, predictionsFile);
    // Read once more, so that what is returned now is what is read later.
    const run = {
      manifest: manifestOf(recipe, data, training),
      predictionsChecksum: checksumOf(results),
      curve: training.history.curve,
      validations: training.history.validations,
      metrics: evaluateDetections(data.test, detections, recipe.metric, recipe.detector),
    };
    writeCheckedJson(path, run);
    return readDetectorRun(path)!;
  } finally {
    disposeDetectorTraining(training);
  }
}

/** To a hundredth of a pixel and five digits of the score: a third of the file's size. */
function shortened(result: CocoResult): CocoResult {
  const rounded = (value: number, digits: number) => Number(value.toFixed(digits));
  const [x, y, width, height] = result.bbox;
  return {
    ...result,
    bbox: [rounded(x, 2), rounded(y, 2), rounded(width, 2), rounded(height, 2)],
    score: rounded(result.score, 5),
  };
}

function manifestOf(recipe: DetectionRecipe, data: DetectionData, training: DetectorTraining): DetectorRun["manifest"] {
  const facts = (set: DetectionSet) => ({
    name: set.name,
    images: set.images.length,
    checksum: annotationChecksum(set),
  });
  return {
    recipe,
    recipeHash: recipeHash(recipe),
    seed: training.seed,
    initialization: training.initialization,
    data: { train: facts(data.train), test: facts(data.test) },
    ...originNow(),
    trainingSeconds: Number(training.seconds.toFixed(1)),
    steps: training.step,
  };
}

/**
 * Reads a finished run.
 *
 * @returns undefined if there is none
 * @throws InputError if the file is not what {@link runDetector} writes
 */
export function readDetectorRun(path: string | undefined): DetectorRun | undefined {
  const advice = "The command that trained it evaluates it again";
  return path === undefined ? undefined : readCheckedJson(path, runSchema, { what: "run", advice });
}

/** Reads a finished run whose detections are those that it was evaluated on. */
function readWithPredictions(path: string): DetectorRun | undefined {
  const run = readDetectorRun(path);
  if (run !== undefined) {
    readChecked(join(dirname(path), predictionsFile), run.predictionsChecksum);
  }
  return run;
}

/** The detections of a finished run in a folder. */
export function readPredictions(directory: string, test: DetectionSet): readonly Detection[] {
  const run = readDetectorRun(join(directory, detectorRunFile));
  return readPredictionsFile(join(directory, predictionsFile), test, run?.predictionsChecksum ?? null);
}

/**
 * Detections of a finished run, wherever they were put.
 *
 * @param path - one that ends in ".gz" is packed
 * @param checksum - the `predictionsChecksum` of the run
 * @throws InputError if it cannot be read, or naming every entry that is wrong
 */
export function readPredictionsFile(path: string, test: DetectionSet, checksum: string | null): readonly Detection[] {
  return fromCocoResults(test, readChecked(path, checksum), path);
}

function readChecked(path: string, checksum: string | null): unknown {
  const json = readJson(path);
  if (checksum === null || checksum === checksumOf(json)) return json;
  throw new InputError(
    `Cannot read ${path}: its content is not the one that the run was evaluated on. ` +
      "The command that trained the detector evaluates it again",
  );
}

/** Deletes what a run consists of, so that it is trained anew; the folder may hold other things. */
export function forgetDetectorRun(directory: string): void {
  forgetGenerations(join(directory, detectorCheckpointFile));
  for (const file of [detectorRunFile, predictionsFile]) rmSync(join(directory, file), { force: true });
}
