import { existsSync } from "node:fs";
import { join } from "node:path";
import { batchesPerEpoch } from "../data/batches";
import type { ImageData } from "../data/image-set";
import { InputError } from "../errors";
import type { Method, MethodDefinition } from "../methods/method";
import type { Encoder } from "../nn/encoder";
import { assertSameTraining, loadCheckpoint, resumeCheckpoint, saveCheckpoint, type Checkpoint } from "./checkpoint";
import { Batches } from "./draw-batch";
import type { AnyRecipe } from "./recipe";
import { learningRateAt } from "./schedule";
import {
  disposeTraining,
  emptyHistory,
  startTraining,
  trainingDataOf,
  type History,
  type TrainingStart,
  type TrainingState,
} from "./state";
import { TrainingStep, type StepReport } from "./take-step";
import { trainingLoop, type LoopedTraining, type LoopOptions, type LoopProgress } from "./training-loop";

/** File name of the checkpoint in a run's folder. */
export const checkpointFile = "checkpoint.safetensors";

/** The checkpoint of a run's folder; any other path as it is. */
export function checkpointIn(given: string): string {
  const ofRun = join(given, checkpointFile);
  return existsSync(ofRun) ? ofRun : given;
}

/** Points of a training curve: enough to draw, few enough to keep in a small file. */
const curvePoints = 100;

export interface PretrainOptions extends LoopOptions {
  readonly seed: number;
  /** The method that the recipe names, where it is none of the kit's. */
  readonly method?: MethodDefinition;
  /**
   * Checkpoint of another training to begin with where the folder has none: its weights, buffers, velocities and steps. The recipes may
   * differ in learning rate and schedule.
   */
  readonly from?: string;
  /** Reads the kNN accuracy of the encoder on the validation part, `times` times over the training. */
  readonly monitor?: { readonly times: number; readonly evaluate: (encoder: Encoder) => number };
  /**
   * Looks at the method after each step, and leaves it as it is: its tensors are those that training goes on with.
   *
   * @param step - steps done
   */
  readonly observe?: (method: Method, step: number) => void;
}

/** What training tells after each step. */
export interface TrainingProgress extends LoopProgress {
  readonly epoch: number;
  /** Loss of this step: InfoNCE, for MoCo. */
  readonly loss: number;
  /** Pretext accuracy of this step. */
  readonly accuracy: number;
  /** Norm of this step's gradient. */
  readonly gradientNorm: number;
  readonly learningRate: number;
  readonly history: History;
}

/**
 * Pre-trains an encoder by a recipe, step by step; yields after each step and lets other work of the process run.
 *
 * Goes on from the checkpoint in the run's folder, if there is one, bit for bit as if it had never stopped. Saves one at
 * regular intervals, when it is stopped or left, and at the end.
 *
 * @throws InputError if the recipe does not fit the data, the folder holds another training, or another process trains in
 * it, or a checkpoint cannot be written
 */
export function pretrain(
  recipe: AnyRecipe,
  data: ImageData,
  options: PretrainOptions,
): AsyncGenerator<TrainingProgress, void, void> {
  return trainingLoop(options, () => startOrGoOn(recipe, data, options));
}

function startOrGoOn(
  recipe: AnyRecipe,
  data: ImageData,
  { seed, directory, method, from, monitor, observe }: PretrainOptions,
): LoopedTraining<Omit<TrainingProgress, keyof LoopProgress>> {
  const { batchSize, epochs, learningRate: baseRate } = recipe;
  const perEpoch = batchesPerEpoch(data.train, batchSize);
  if (perEpoch === 0) {
    throw new InputError(
      `Cannot train on ${data.train.name}: it has ${data.train.labels.length} images, the batch size is ${batchSize}`,
    );
  }
  const totalSteps = epochs * perEpoch;
  const path = join(directory, checkpointFile);
  const state = resumeOrStart(path, recipe, { seed, data: trainingDataOf(data) }, { method, from });
  const trainingStep = new TrainingStep(state, recipe.optimizer);
  const batches = new Batches(data, recipe, { seed, views: state.method.views, totalSteps });
  return {
    state,
    totalSteps,
    batchSize,
    step: () => {
      const epoch = Math.floor(state.step / perEpoch);
      const learningRate = learningRateAt(recipe.schedule, { baseRate, epoch: state.step / perEpoch, epochs });
      const batch = batches.at(state.step);
      const moment = `step ${state.step + 1} in epoch ${epoch + 1}`;
      const { loss, accuracy, gradientNorm } = trainingStep.take(batch, learningRate, moment);
      batch.release?.();
      state.step++;
      const monitored = monitor && isMonitored(state.step, epochs, perEpoch, monitor.times) ? monitor : undefined;
      record(state, { loss, accuracy, gradientNorm, epoch }, monitored !== undefined, totalSteps);
      if (monitored) {
        const point = { step: state.step, knn: monitored.evaluate(state.method.encoder) };
        state.history = { ...state.history, monitor: [...state.history.monitor, point] };
      }
      observe?.(state.method, state.step);
      return { epoch, loss, accuracy, gradientNorm, learningRate, history: state.history };
    },
    save: () => saveCheckpoint(path, state, recipe),
    dispose: () => {
      batches.dispose();
      trainingStep.dispose();
      disposeTraining(state);
    },
  };
}

function resumeOrStart(
  path: string,
  recipe: AnyRecipe,
  start: TrainingStart,
  { method: own, from }: { readonly method: MethodDefinition | undefined; readonly from: string | undefined },
): TrainingState {
  const checkpoint = resumeCheckpoint(path, own);
  if (checkpoint !== undefined) return stateOf(path, checkpoint, { recipe, ...start });
  if (from === undefined) return startTraining(recipe, start, own);
  const other = loadCheckpoint(from, own);
  const { learningRate, schedule } = other.recipe;
  return stateOf(from, other, { recipe: { ...recipe, learningRate, schedule }, ...start });
}

/** The state of a checkpoint that must belong to a training. */
function stateOf(
  path: string,
  checkpoint: Checkpoint<AnyRecipe>,
  wanted: TrainingStart & { readonly recipe: AnyRecipe },
): TrainingState {
  try {
    assertSameTraining(path, checkpoint, wanted);
  } catch (error) {
    disposeTraining(checkpoint.state);
    throw error;
  }
  return checkpoint.state;
}

/** Adds a step to the history. A reading of the monitor closes a point of the curve, so that means between readings are exact. */
function record(
  state: TrainingState,
  { loss, accuracy, gradientNorm, epoch }: StepReport & { readonly epoch: number },
  closes: boolean,
  totalSteps: number,
): void {
  const { curve, monitor, pending } = state.history;
  const sums = {
    loss: pending.loss + loss,
    accuracy: pending.accuracy + accuracy,
    gradientNorm: Math.max(pending.gradientNorm, gradientNorm),
    steps: pending.steps + 1,
  };
  const interval = Math.max(1, Math.round(totalSteps / curvePoints));
  if (sums.steps < interval && state.step < totalSteps && !closes) {
    state.history = { curve, monitor, pending: sums };
    return;
  }
  const [meanLoss, meanAccuracy] = [sums.loss / sums.steps, sums.accuracy / sums.steps];
  const point = { step: state.step, epoch, loss: meanLoss, accuracy: meanAccuracy, gradientNorm: sums.gradientNorm };
  state.history = { curve: [...curve, point], monitor, pending: emptyHistory.pending };
}

/** Whether the monitor is read after this step: at ends of epochs, evenly spread, the last one included. */
function isMonitored(step: number, epochs: number, perEpoch: number, times: number): boolean {
  if (step % perEpoch !== 0) return false;
  const readings = Math.min(times, epochs);
  const before = Math.floor(((step / perEpoch - 1) * readings) / epochs);
  return Math.floor(((step / perEpoch) * readings) / epochs) > before;
}
