import { randomStream } from "../engine/random";
import type { Method } from "../methods/method";
import type { Recipe } from "./recipe";
import { createOptimizer, type Optimizer } from "./optimizer";
import { startMethod, type TrainingSetFacts } from "./start-method";

/** One point of a training curve. Values are means over the steps since the point before. */
export interface CurvePoint {
  /** Steps done. */
  readonly step: number;
  readonly epoch: number;
  readonly loss: number;
  /** Share of queries that find their own key among K + 1; supervised, their class. */
  readonly accuracy: number;
}

/** One reading of the kNN monitor on the validation part. */
export interface MonitorPoint {
  readonly step: number;
  readonly knn: number;
}

/** What training has written down so far. */
export interface History {
  readonly curve: readonly CurvePoint[];
  readonly monitor: readonly MonitorPoint[];
  /** Sums over the steps since the last point of the curve. */
  readonly pending: { readonly loss: number; readonly accuracy: number; readonly steps: number };
}

/**
 * Everything that pre-training carries from step to step; what a checkpoint holds.
 *
 * There is no state of random numbers: each is a function of the seed, its purpose and the step or epoch.
 * Owns its tensors: call {@link disposeTraining}.
 */
export interface TrainingState {
  readonly method: Method;
  /** One for each network that the method trains. */
  readonly optimizers: readonly Optimizer[];
  readonly seed: number;
  /** Steps done. */
  step: number;
  history: History;
  /** Time spent on those steps, over all interruptions. */
  seconds: number;
}

export const emptyHistory: History = { curve: [], monitor: [], pending: { loss: 0, accuracy: 0, steps: 0 } };

/**
 * The state before the first step.
 *
 * @throws InputError if the recipe does not fit the training set
 */
export function startTraining(recipe: Recipe, seed: number, facts: TrainingSetFacts): TrainingState {
  const method = startMethod(recipe, facts, (purpose) => randomStream(seed, purpose));
  return {
    method,
    optimizers: method.trained.map((name) => createOptimizer(recipe.optimizer.kind, method.networks[name]!.parameters)),
    seed,
    step: 0,
    history: emptyHistory,
    seconds: 0,
  };
}

export function disposeTraining({ method, optimizers }: TrainingState): void {
  method.dispose();
  for (const optimizer of optimizers) optimizer.dispose();
}
