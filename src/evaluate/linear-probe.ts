import { InputError } from "../errors";
import { gatherRows } from "../engine/gather-rows";
import { createProgram } from "../engine/program";
import { randomStream } from "../engine/random";
import type { TensorFunction } from "../engine/tensor-function";
import { tf } from "../engine/tf";
import { Variable } from "../engine/variable";
import { learningRateAt } from "../train/schedule";
import { checkLabeled, type Features } from "./features";
import { firstClassifier } from "./linear-classifier";
import { paperLinearRecipe } from "./linear-recipe";
import { readValues } from "./read-values";
import { bestClasses, scoreOf, type Score } from "./score";

/** Learning rates to choose from, ascending. The paper uses 30 on ImageNet. */
const defaultRates: readonly number[] = [0.03, 0.1, 0.3, 1, 3, 10, 30];

/** Settings of the linear probe. */
export interface LinearProbeOptions {
  readonly classCount: number;
  /** Seed of the first weights and of the order of images. */
  readonly seed: number;
  /** Learning rates to choose from, ascending. @default defaultRates */
  readonly rates?: readonly number[];
}

/** Accuracy of the probe on test at the rate that was best on validation. */
export interface LinearProbeScore extends Score {
  /** The chosen learning rate. */
  readonly rate: number;
  /** Whether the chosen rate is the first or last of several, so that a rate outside might be better. */
  readonly atEdge: boolean;
  /** Every rate tried, with its accuracy on validation at the last epoch. */
  readonly rates: readonly { readonly rate: number; readonly validationAccuracy: number }[];
  readonly validationAccuracy: number;
  readonly trainAccuracy: number;
}

/**
 * The fast form of the paper's linear probe: a linear softmax classifier trained on cached features by SGD (`paperLinearRecipe`),
 * its learning rate chosen by accuracy on validation at the last epoch (the lower rate of equals). `test` is read once, with the
 * chosen weights.
 *
 * Features are taken as they come, not normalized, as in the paper. Two things differ from it: the features are computed once,
 * from unaugmented images, where the paper trains on random crops and flips (`trainLinear` does), and the rate is chosen, where
 * the paper has 30. SGD of fixed length underfits features of unequal scale, so read this score beside `logisticRegression`,
 * which is run to convergence.
 *
 * All rates are trained at once, as columns of one weight matrix, from the same first weights and in the same order.
 *
 * @throws {InputError} if the rates are not ascending positive numbers, or features and labels do not fit
 */
export function linearProbe(
  train: Features,
  validation: Features,
  test: Features,
  options: LinearProbeOptions,
): LinearProbeScore {
  const { classCount, seed, rates = defaultRates } = options;
  checkLabeled(train, "train", classCount, train.dimension);
  checkLabeled(validation, "validation", classCount, train.dimension);
  checkLabeled(test, "test", classCount, train.dimension);
  checkRates(rates);
  const weights = trainAtAllRates(train, classCount, rates, seed);
  try {
    const tried = rates.map((rate, at) => ({
      rate,
      validationAccuracy: scoreAt(weights, at, validation, classCount).accuracy,
    }));
    const chosen = tried.reduce((best, { validationAccuracy }, at) => {
      return validationAccuracy > tried[best]!.validationAccuracy ? at : best;
    }, 0);
    return {
      ...scoreAt(weights, chosen, test, classCount),
      rate: rates[chosen]!,
      atEdge: rates.length > 1 && (chosen === 0 || chosen === rates.length - 1),
      rates: tried,
      validationAccuracy: tried[chosen]!.validationAccuracy,
      trainAccuracy: scoreAt(weights, chosen, train, classCount).accuracy,
    };
  } finally {
    weights.dispose();
  }
}

function checkRates(rates: readonly number[]): void {
  const ascending = rates.every((rate, at) => rate > (rates[at - 1] ?? 0) && rate < Infinity);
  if (rates.length === 0 || !ascending) {
    throw new InputError(
      `Cannot train the linear probe: rates must be positive numbers in ascending order, current value is [${rates.join(", ")}]`,
    );
  }
}

/** Trains and returns weights [dimension + 1, rates * classes]; the last row is the biases. */
function trainAtAllRates(train: Features, classCount: number, rates: readonly number[], seed: number): tf.Tensor2D {
  const { epochs, batchSize, momentum, schedule } = paperLinearRecipe;
  const count = train.labels.length;
  const inputs = new Variable("features", withOnes(train));
  const targets = new Variable(
    "targets",
    tf.tidy(() => tf.oneHot(tf.tensor1d(train.labels, "int32"), classCount).toFloat() as tf.Tensor2D),
  );
  const weights = new Variable("weights", firstWeights(train, classCount, rates, seed));
  const velocity = new Variable("velocity", tf.zerosLike(weights.value));
  // Recorded once for whole batches and once for what is left of an epoch.
  const sizes = [...new Set([Math.min(batchSize, count), count % batchSize || batchSize])];
  const step = (size: number): TensorFunction => ({
    inputs: { batch: { shape: [size], dtype: "int32" }, factor: { shape: [] } },
    compute: ({ batch, factor }) => {
      const [images, classes] = [inputs, targets].map(({ value }) => gatherRows(value, batch as tf.Tensor1D));
      const gradient = crossEntropyGradient(images!, classes!, weights.value);
      const moved = velocity.value.mul(momentum).add<tf.Tensor2D>(gradient);
      const rateOfColumn = tf.tensor1d(rates.flatMap((rate) => Array<number>(classCount).fill(rate)));
      weights.assign(weights.value.sub<tf.Tensor2D>(moved.mul(rateOfColumn.mul(factor!))));
      velocity.assign(moved);
      return {};
    },
  });
  const program = createProgram(Object.fromEntries(sizes.map((size) => [`step${size}`, step(size)])));
  try {
    for (let epoch = 0; epoch < epochs; epoch++) {
      const order = randomStream(seed, "linear-probe", "order", epoch).permutation(count);
      const factor = tf.scalar(learningRateAt(schedule, { baseRate: 1, epoch, epochs }));
      for (let start = 0; start < count; start += batchSize) {
        const batch = tf.tensor1d(order.subarray(start, start + batchSize), "int32");
        program.run(`step${batch.size}`, { batch, factor });
        batch.dispose();
      }
      factor.dispose();
    }
    return weights.value.clone();
  } finally {
    program.dispose();
    for (const variable of [inputs, targets, weights, velocity]) variable.dispose();
  }
}

/** The same first weights for every rate. */
function firstWeights(
  { dimension }: Features,
  classCount: number,
  rates: readonly number[],
  seed: number,
): tf.Tensor2D {
  return tf.tidy(() => {
    const first = firstClassifier(dimension, classCount, seed, paperLinearRecipe.initialStd);
    const withBiases = tf.concat2d([first.weights, first.biases.expandDims<tf.Tensor2D>(0)], 0);
    return tf.tile<tf.Tensor2D>(withBiases, [1, rates.length]);
  });
}

/** Gradient of the mean softmax cross-entropy of each rate's classifier with respect to its own columns of `weights`. */
function crossEntropyGradient(inputs: tf.Tensor2D, targets: tf.Tensor2D, weights: tf.Tensor2D): tf.Tensor2D {
  const [batchSize, classCount] = targets.shape;
  const columns = weights.shape[1];
  const logits = tf.matMul(inputs, weights).reshape([batchSize, columns / classCount, classCount]);
  const residual = tf
    .softmax(logits)
    .sub(targets.reshape([batchSize, 1, classCount]))
    .div(batchSize);
  return tf.matMul(inputs, residual.reshape<tf.Tensor2D>([batchSize, columns]), true, false);
}

/** [count, dimension + 1]: the features and a column of ones for the bias. */
function withOnes(features: Features): tf.Tensor2D {
  const { values, dimension, labels } = features;
  return tf.tidy(() => {
    const inputs = tf.tensor2d(values, [labels.length, dimension]);
    return tf.concat([inputs, tf.ones([labels.length, 1])], 1);
  });
}

/** How the classifier of the rate at index `at` does on some features. */
function scoreAt(weights: tf.Tensor2D, at: number, features: Features, classCount: number): Score {
  const logits = readValues(() => {
    const columns = tf.slice(weights, [0, at * classCount], [-1, classCount]);
    return tf.matMul(withOnes(features), columns);
  });
  return scoreOf(bestClasses(logits, classCount), features.labels, features.groups);
}
