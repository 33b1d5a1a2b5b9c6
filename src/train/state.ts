import type { ImageData } from "../data/image-set";
import { randomStream, type Random } from "../engine/random";
import { methodOf } from "../methods";
import { disposeMethod, type Method, type MethodDefinition, type TrainingSetFacts } from "../methods/method";
import { createOptimizer, type Optimizer } from "./optimizer";
import type { AnyRecipe } from "./recipe";

/** One point of a training curve. Loss and accuracy are means over the steps since the point before. */
export interface CurvePoint {
  /** Steps done. */
  readonly step: number;
  readonly epoch: number;
  readonly loss: number;
  /** Share of queries that find their own key among K + 1; supervised, their class. */
  readonly accuracy: number;
  /** The largest norm of a gradient over those steps: it grows before a training diverges. Earlier versions told none. */
  readonly gradientNorm?: number | undefined;
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
  readonly pending: {
    readonly loss: number;
    readonly accuracy: number;
    /** The largest, no sum. */
    readonly gradientNorm: number;
    readonly steps: number;
  };
}

/** Which training set a training is of. */
export interface TrainingData extends TrainingSetFacts {
  /** That of {@link ImageData}. */
  readonly checksum: string;
}

export function trainingDataOf({ train, checksum }: Pick<ImageData, "train" | "checksum">): TrainingData {
  return { checksum, images: train.labels.length, classes: train.classes.length };
}

/**
 * Everything that pre-training carries from step to step; what a checkpoint holds.
 *
 * There is no state of random numbers: each is a function of the seed, its purpose and the step or epoch.
 * Owns its tensors: call {@link disposeTraining}.
 */
export interface TrainingState {
  readonly method: Method;
  /** By the names of the networks that the method trains, in their order. */
  readonly optimizers: ReadonlyMap<string, Optimizer>;
  readonly seed: number;
  readonly data: TrainingData;
  /** Steps done. */
  step: number;
  history: History;
  /** Time spent on those steps, over all interruptions. */
  seconds: number;
}

export const emptyHistory: History = {
  curve: [],
  monitor: [],
  pending: { loss: 0, accuracy: 0, gradientNorm: 0, steps: 0 },
};

/** What the first state of a training is made of besides its recipe. */
export interface TrainingStart {
  readonly seed: number;
  readonly data: TrainingData;
  /** The random numbers for one purpose. @default those of the seed */
  readonly random?: (purpose: string) => Random;
}

/**
 * The state before the first step.
 *
 * @param own - the method, where it is none of the kit's
 * @throws InputError if the recipe does not fit the training set
 */
export function startTraining(
  recipe: AnyRecipe,
  { seed, data, random = (purpose) => randomStream(seed, purpose) }: TrainingStart,
  own?: MethodDefinition,
): TrainingState {
  const { encoder, batchSize, bnGroups, optimizer } = recipe;
  const definition = methodOf(recipe.method, own);
  const { images, classes } = data;
  const method = definition.start(recipe.method, { encoder, batchSize, bnGroups, images, classes, random });
  return {
    method,
    optimizers: new Map(
      definition.trained.map((name) => [name, createOptimizer(optimizer.kind, method.networks[name]!.parameters)]),
    ),
    seed,
    data,
    step: 0,
    history: emptyHistory,
    seconds: 0,
  };
}

export function disposeTraining({ method, optimizers }: TrainingState): void {
  disposeMethod(method);
  for (const optimizer of optimizers.values()) optimizer.dispose();
}
