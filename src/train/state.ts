import { randomStream } from "../engine/random";
import { createMoco, disposeMoco, type Moco } from "../methods/moco";
import type { Recipe } from "./recipe";
import { Sgd } from "./sgd";

/** One point of a training curve. Values are means over the steps since the point before. */
export interface CurvePoint {
  /** Steps done. */
  readonly step: number;
  readonly epoch: number;
  readonly loss: number;
  /** Share of queries that find their own key among K + 1. */
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
  readonly moco: Moco;
  readonly optimiser: Sgd;
  readonly seed: number;
  /** Steps done. */
  step: number;
  history: History;
  /** Time spent on those steps, over all interruptions. */
  seconds: number;
}

export const emptyHistory: History = { curve: [], monitor: [], pending: { loss: 0, accuracy: 0, steps: 0 } };

/** The state before the first step. */
export function startTraining(recipe: Recipe, seed: number): TrainingState {
  const moco = createMoco(recipe, {
    encoder: randomStream(seed, "initialise"),
    queue: randomStream(seed, "queue"),
  });
  return {
    moco,
    optimiser: Sgd.create(moco.queryEncoder.parameters),
    seed,
    step: 0,
    history: emptyHistory,
    seconds: 0,
  };
}

export function disposeTraining({ moco, optimiser }: TrainingState): void {
  disposeMoco(moco);
  optimiser.dispose();
}
