import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { InputError } from "../../errors";
import { randomStream } from "../../engine/random";
import { recipeHash } from "../../train/recipe-hash";
import {
  interrupted,
  trainingLoop,
  type LoopedTraining,
  type LoopOptions,
  type LoopProgress,
} from "../../train/training-loop";
import type { DetectionRecipe } from "../detection-recipe";
import { detectionRateAt } from "../detection-schedule";
import { assertMasks, type DetectionSet } from "../structures/detection-set";
import type { Detector } from "../model/detector";
import { commonShapes } from "./common-shapes";
import { detectorCheckpointFile, resumeDetector, saveDetector } from "./detector-checkpoint";
import {
  disposeDetectorTraining,
  recordLosses,
  startDetectorTraining,
  type DetectorHistory,
  type DetectorTraining,
  type Initialization,
} from "./detector-training";
import { estimateRunningAverages, type DetectorLosses, type TrainingBatch } from "../model/faster-rcnn";
import { DetectorTrainingStep } from "./take-detector-step";
import { firstShapes, readTrainingBatch, shuffledBatches } from "./training-batches";
import { trainableImages } from "../structures/detection-set";

export interface TrainDetectorOptions extends LoopOptions {
  readonly seed: number;
  readonly initialization: Initialization;
  /**
   * Reads AP50 on the validation part, each time after precise BN: `times` times over the training, or as the recipe's
   * `stopping` says.
   */
  readonly monitor?: { readonly times: number; readonly evaluate: (detector: Detector) => Promise<number> };
}

/** What training tells after each step. */
export interface DetectorProgress extends LoopProgress {
  /** Of this step. */
  readonly losses: DetectorLosses<number>;
  readonly learningRate: number;
  readonly history: DetectorHistory;
}

/**
 * Trains a detector by a recipe, step by step; yields after each step and lets other work of the process run. After the last
 * step the running averages are estimated by precise BN.
 *
 * Goes on from the checkpoint in the run's folder, if there is one, bit for bit as if it had never stopped. Saves one at
 * regular intervals, when it is stopped or left, and at the end.
 *
 * @throws InputError if the folder holds another training, or another process trains in it, if the encoder does not fit the
 * recipe, or a checkpoint cannot be written
 * @throws DivergedError if a loss is no longer a number
 */
export function trainDetector(
  recipe: DetectionRecipe,
  set: DetectionSet,
  options: TrainDetectorOptions,
): AsyncGenerator<DetectorProgress, void, void> {
  return trainingLoop(options, () => startOrGoOn(recipe, set, options));
}

function startOrGoOn(
  recipe: DetectionRecipe,
  set: DetectionSet,
  options: TrainDetectorOptions,
): LoopedTraining<Omit<DetectorProgress, keyof LoopProgress>> {
  const { seed, directory } = options;
  const { stopping, batchSize } = recipe;
  const totalSteps = recipe.schedule.iterations;
  const path = join(directory, detectorCheckpointFile);
  const monitor = stopping || (options.monitor?.times ?? 0) > 0 ? options.monitor : undefined;
  if (stopping && monitor === undefined) {
    throw new InputError(
      `Cannot train by ${recipe.name}: it ends where AP50 on the validation part stays, and there is no validation part`,
    );
  }
  const validations = stopping ? { every: stopping.evaluateEvery } : { times: monitor?.times ?? 0 };
  if (recipe.detector.masks) assertMasks(set);
  const training = resumeOrStart(path, recipe, set, options);
  const { detector } = training;
  const drawBatches = () =>
    shuffledBatches(trainableImages(set), batchSize, (pass) => randomStream(seed, "shuffle", pass));
  const augmentation = (step: number) => randomStream(seed, "augment", step);
  const trainingStep = new DetectorTrainingStep(
    training,
    recipe,
    commonShapes(firstShapes(drawBatches(), recipe, augmentation)),
  );
  const batches = drawBatches();
  for (let step = 0; step < training.step; step++) batches.next();
  /** @returns whether anything was read */
  const readIfDue = async (): Promise<boolean> => {
    if (training.averagedAt === training.step || !isRead(training.step, totalSteps, validations)) return false;
    await estimateRunningAverages(
      detector,
      averagingBatches(recipe, set, training.step, options),
      randomStream(seed, "precise BN", training.step),
    );
    if (monitor !== undefined) {
      const value = await monitor.evaluate(detector);
      const reading = { step: training.step, ap50: Number.isNaN(value) ? null : value };
      training.history = { ...training.history, validations: [...training.history.validations, reading] };
    }
    training.averagedAt = training.step;
    return true;
  };
  return {
    state: training,
    totalSteps,
    batchSize,
    // Of a training that was stopped between its last step and the end of precise BN.
    prepare: readIfDue,
    hasStopped: () => hasStopped(training, stopping),
    step: async () => {
      const learningRate = detectionRateAt(recipe.schedule, recipe.learningRate, training.step);
      const batch = await readTrainingBatch(set, batches.next().value, recipe, augmentation(training.step));
      const regions = randomStream(seed, "regions", training.step);
      const losses = trainingStep.take(batch, regions, learningRate, training.step + 1);
      training.step++;
      recordLosses(training, losses, totalSteps);
      await readIfDue();
      return { losses, learningRate, history: training.history };
    },
    save: () => saveDetector(path, recipe, training),
    dispose: () => {
      trainingStep.dispose();
      disposeDetectorTraining(training);
    },
  };
}

async function* averagingBatches(
  recipe: DetectionRecipe,
  set: DetectionSet,
  step: number,
  { seed, stopRequested }: TrainDetectorOptions,
): AsyncGenerator<TrainingBatch> {
  const random = (purpose: string, number: number) => randomStream(seed, "precise BN", step, purpose, number);
  const batches = shuffledBatches(trainableImages(set), recipe.batchSize, (pass) => random("shuffle", pass));
  for (let index = 0; index < recipe.preciseBnBatches; index++) {
    if (stopRequested?.()) throw interrupted(step, recipe.schedule.iterations);
    yield await readTrainingBatch(set, batches.next().value, recipe, random("augment", index));
    await setImmediate();
  }
}

/** Whether averages are estimated after this step: after the last, and before validations. */
function isRead(
  step: number,
  totalSteps: number,
  validations: { readonly every: number } | { readonly times: number },
): boolean {
  if (step === totalSteps) return true;
  if ("every" in validations) return step % validations.every === 0;
  return (
    Math.floor((step * validations.times) / totalSteps) > Math.floor(((step - 1) * validations.times) / totalSteps)
  );
}

/** Whether the reading after this very step ends the training: none has been better for a share of the run. */
function hasStopped({ step, history }: DetectorTraining, stopping: DetectionRecipe["stopping"]): boolean {
  if (stopping === undefined || step < stopping.from || history.validations.at(-1)?.step !== step) return false;
  let best = { step: 0, ap50: 0 };
  for (const reading of history.validations) {
    if (reading.ap50 !== null && reading.ap50 > best.ap50 + stopping.leastRise)
      best = { step: reading.step, ap50: reading.ap50 };
  }
  return step - best.step >= stopping.patience * step;
}

function resumeOrStart(
  path: string,
  recipe: DetectionRecipe,
  { categories }: DetectionSet,
  { seed, initialization }: TrainDetectorOptions,
): DetectorTraining {
  const names = categories.map(({ name }) => name);
  const checkpoint = resumeDetector(path);
  if (checkpoint === undefined) return startDetectorTraining(recipe, names, initialization, seed);
  const { recipe: trained, training } = checkpoint;
  const describe = (recipe: DetectionRecipe, from: Initialization | DetectorTraining["initialization"], seed: number) =>
    `recipe ${recipeHash(recipe)} from ${from.name}${from.checksum ? ` (${from.checksum.slice(0, 12)})` : ""} with seed ${seed}`;
  const found = describe(trained, training.initialization, training.seed);
  const wanted = describe(recipe, initialization, seed);
  if (found === wanted && training.categories.join() === names.join()) return training;
  disposeDetectorTraining(training);
  const difference =
    found === wanted
      ? `for the categories ${training.categories.join(", ")}, asked for are ${names.join(", ")}`
      : `by ${found}, asked for is ${wanted}`;
  throw new InputError(
    `Cannot go on from ${path}: it was trained ${difference}. Use another folder, or start anew with --fresh`,
  );
}
