import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { cropAndFlip } from "../data/augmentation-policy";
import { drawViews, imageTensor } from "../data/batches";
import type { ImageData } from "../data/image-set";
import { normalize } from "../data/normalize";
import { randomStream } from "../engine/random";
import { tf } from "../engine/tf";
import { DivergedError } from "../errors";
import type { Encoder } from "../nn/encoder";
import { oneView } from "../methods/method";
import { meanOf } from "../statistics/mean";
import { learningRateAt } from "../train/schedule";
import {
  interrupted,
  trainingLoop,
  type LoopedTraining,
  type LoopOptions,
  type LoopProgress,
} from "../train/training-loop";
import { encoderChecksum } from "../weights/encoder-checksum";
import {
  emptyLinearHistory,
  linearCheckpointFile,
  resumeLinear,
  saveLinear,
  type LinearHistory,
  type LinearOrigin,
  type LinearState,
} from "./linear-checkpoint";
import { ClassifierProgram, disposeClassifier, startClassifier } from "./linear-classifier";
import { assertClassifiable, type LinearRecipe } from "./linear-recipe";
import { ranksOf } from "./score";

export interface LinearOptions extends LoopOptions {
  /** Seed of the first weights, the order of images, crops and flips. */
  readonly seed: number;
}

/** What the training of a classifier tells after each step. */
export interface LinearProgress extends LoopProgress {
  readonly epoch: number;
  /** Of this step, before it. */
  readonly loss: number;
  /** Share of the batch whose class is the best. */
  readonly accuracy: number;
  readonly learningRate: number;
  readonly history: LinearHistory;
}

/**
 * The paper's linear classification protocol (section 4.1; `main_lincls.py` of the official code): a linear classifier is
 * trained by SGD on the pooled features of a frozen network in evaluation mode, of random crops and flips. Each epoch sees all
 * images; its last batch may be smaller. After each epoch the part that the recipe names is classified, top-1 and top-5.
 * Nothing is chosen by that: the result is the last epoch's.
 *
 * Yields after each step. Goes on from the checkpoint in the run's folder, if there is one, bit for bit as if it had never
 * stopped.
 *
 * @param encoder - stays the caller's; its head is not used
 * @throws InputError if the recipe does not fit the data, the folder holds another training, or another process trains in
 * it, or a checkpoint cannot be written
 * @throws DivergedError if a loss is no longer a number
 * @throws Error if an epoch has changed the frozen network
 */
export function trainLinear(
  recipe: LinearRecipe,
  encoder: Encoder,
  data: ImageData,
  options: LinearOptions,
): AsyncGenerator<LinearProgress, void, void> {
  return trainingLoop(options, () => startOrGoOn(recipe, encoder, data, options));
}

/** What a training is of: see {@link LinearOrigin}. */
export function linearOrigin(recipe: LinearRecipe, encoder: Encoder, data: ImageData, seed: number): LinearOrigin {
  return {
    recipe,
    seed,
    encoder: encoderChecksum(encoder),
    data: data.checksum,
    classCount: data.train.classes.length,
  };
}

function startOrGoOn(
  recipe: LinearRecipe,
  encoder: Encoder,
  data: ImageData,
  { seed, directory, stopRequested }: LinearOptions,
): LoopedTraining<Omit<LinearProgress, keyof LoopProgress>> {
  assertClassifiable(recipe, data);
  const { batchSize, epochs, learningRate: baseRate } = recipe;
  const origin = linearOrigin(recipe, encoder, data, seed);
  const path = join(directory, linearCheckpointFile);
  const state: LinearState = resumeLinear(path, origin, encoder) ?? {
    classifier: startClassifier(encoder, origin.classCount, seed, recipe),
    step: 0,
    history: emptyLinearHistory,
    seconds: 0,
  };
  const order = new EpochOrder(data.train.labels.length, batchSize, seed);
  const perEpoch = order.batches;
  const totalSteps = epochs * perEpoch;
  let program: ClassifierProgram | undefined;
  // Recorded when it is needed: nothing is left to do in a training that has ended.
  const recorded = () =>
    (program ??= new ClassifierProgram(encoder, state.classifier, recipe, {
      batchSizes: order.batchSizes,
      size: data.train.size,
    }));

  const finishEpoch = async () => {
    if (encoderChecksum(encoder) !== origin.encoder) {
      throw new Error("Cannot train the linear classifier: the frozen network has changed in this epoch");
    }
    const ranks = await classifyAll(recorded(), data, recipe.part, Math.max(...order.batchSizes), () => {
      if (stopRequested?.()) throw interrupted(state.step, totalSteps);
    });
    const { pending, epochs: before } = state.history;
    const shareBelow = (limit: number) => meanOf(ranks.map((rank) => Number(rank < limit)));
    const epoch = {
      epoch: before.length + 1,
      trainLoss: pending.loss / pending.images,
      trainTopOne: pending.right / pending.images,
      topOne: shareBelow(1),
      topFive: shareBelow(5),
    };
    const correct = Array.from(ranks, (rank) => Number(rank < 1)).join("");
    state.history = { ...emptyLinearHistory, epochs: [...before, epoch], correct };
  };
  const isEpochDue = () => state.step % perEpoch === 0 && state.history.epochs.length < state.step / perEpoch;

  return {
    state,
    totalSteps,
    // All images, where there are fewer than a batch.
    batchSize: order.batchSizes[0]!,
    prepare: async () => {
      if (!isEpochDue()) return false;
      await finishEpoch();
      return true;
    },
    step: async () => {
      const epoch = Math.floor(state.step / perEpoch);
      const learningRate = learningRateAt(recipe.schedule, { baseRate, epoch: state.step / perEpoch, epochs });
      const indices = order.indices(state.step);
      const labels = indices.map((index) => data.train.labels[index]!);
      const images = drawLinearView(data, indices, seed, state.step);
      const { loss, logits } = recorded().step(images, labels, learningRate);
      images.dispose();
      state.step++;
      if (!Number.isFinite(loss)) {
        throw new DivergedError(`Training diverged: the loss of step ${state.step} is ${loss}`);
      }
      const right = ranksOf(logits, labels, origin.classCount).filter((rank) => rank < 1).length;
      const { pending } = state.history;
      state.history = {
        ...state.history,
        pending: {
          loss: pending.loss + loss * indices.length,
          right: pending.right + right,
          images: pending.images + indices.length,
        },
      };
      if (isEpochDue()) await finishEpoch();
      return { epoch, loss, accuracy: right / indices.length, learningRate, history: state.history };
    },
    save: () => saveLinear(path, origin, state),
    dispose: () => {
      program?.dispose();
      disposeClassifier(state.classifier);
    },
  };
}

/** Random crops and flips of some images of the training part, normalized, [N, size, size, 3]; the caller disposes them. */
export function drawLinearView(data: ImageData, indices: Int32Array, seed: number, step: number): tf.Tensor4D {
  return drawViews(data, indices, { policy: cropAndFlip, seed, step, views: oneView }).one(0);
}

/** Steps of an epoch: the last batch may be smaller. */
export function linearBatches(images: number, batchSize: number): number {
  return Math.ceil(images / batchSize);
}

/** In which order the images come: each epoch has its own, a function of seed and epoch alone, and leaves none out. */
class EpochOrder {
  /** Steps of an epoch. */
  readonly batches: number;
  /** Of the full batches and of the last. */
  readonly batchSizes: readonly number[];
  private drawn: { readonly epoch: number; readonly order: Int32Array } | undefined;

  constructor(
    private readonly count: number,
    private readonly batchSize: number,
    private readonly seed: number,
  ) {
    this.batches = linearBatches(count, batchSize);
    const last = count - (this.batches - 1) * batchSize;
    this.batchSizes = this.batches === 1 ? [last] : [batchSize, last];
  }

  /** Images of one step. */
  indices(step: number): Int32Array {
    const epoch = Math.floor(step / this.batches);
    if (this.drawn?.epoch !== epoch) {
      this.drawn = { epoch, order: randomStream(this.seed, "linear order", epoch).permutation(this.count) };
    }
    const first = (step % this.batches) * this.batchSize;
    return this.drawn.order.slice(first, first + this.batchSize);
  }
}

/**
 * The rank of the right class of each image of a part, see {@link ranksOf}. Lets other work of the process run between batches.
 *
 * @param between - called after each batch; what it throws ends the work
 */
async function classifyAll(
  program: ClassifierProgram,
  { mean, std, ...parts }: ImageData,
  part: LinearRecipe["part"],
  batchSize: number,
  between: () => void,
): Promise<Int32Array> {
  const set = parts[part];
  const count = set.labels.length;
  const ranks = new Int32Array(count);
  for (let first = 0; first < count; first += batchSize) {
    const positions = Int32Array.from({ length: Math.min(batchSize, count - first) }, (_, offset) => first + offset);
    const images = tf.tidy(() => normalize(imageTensor(set, positions), mean, std));
    const { logits } = program.classify(images);
    images.dispose();
    ranks.set(ranksOf(logits, set.labels.subarray(first, first + batchSize), set.classes.length), first);
    await setImmediate();
    between();
  }
  return ranks;
}
