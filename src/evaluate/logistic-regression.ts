import { InputError } from "../errors";
import { tf } from "../engine/tf";
import { checkLabeled, type Features } from "./features";
import { fitStrength, logitsOf } from "./logistic-fit";
import { principalAxes } from "./principal-axes";
import { bestClasses, scoreOf, type Score } from "./score";

/**
 * Strengths of L2 to choose from, descending. The objective is mean cross-entropy + l2 / 2 * (sum of squared weights), so
 * scikit-learn's C is 1 / (l2 * number of training images).
 */
export const defaultStrengths: readonly number[] = [10, 3, 1, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 3e-4, 1e-4];

/**
 * Weaker strengths are not tried once this many in a row (a factor of 10) were worse on validation than the best: they take
 * the longest to converge, and overfit the more.
 */
const PATIENCE = 2;

/** Settings of the logistic regression. */
export interface LogisticRegressionOptions {
  readonly classCount: number;
  /** Strengths of L2 to choose from, descending. @default defaultStrengths */
  readonly strengths?: readonly number[];
}

/** How one strength of L2 came out. */
export interface LogisticFit {
  readonly l2: number;
  readonly validationAccuracy: number;
  /** The objective at the end: mean cross-entropy on train plus the penalty. */
  readonly objective: number;
  /** Iterations of L-BFGS, from the end of the strength before. */
  readonly iterations: number;
  /** Whether the gradient fell to `gradientTolerance` within `maxIterations`. */
  readonly converged: boolean;
}

/** Accuracy of logistic regression on test at the L2 that was best on validation. */
export interface LogisticRegressionScore extends Score, LogisticFit {
  /** Whether the chosen L2 is the first or last of several, so that one outside might be better. */
  readonly atEdge: boolean;
  /** Every strength tried, in order. */
  readonly strengths: readonly LogisticFit[];
  readonly trainAccuracy: number;
}

/**
 * Multinomial logistic regression run to convergence: what a linear classifier can read off the features, whatever their scale.
 * Features are standardized by the mean and standard deviation of train (a constant one becomes 0). L2, which spares the
 * intercept, is chosen by accuracy on validation (the stronger of equals), each fit starting from the end of the one before.
 * `test` is read once, with the chosen weights.
 *
 * @throws {InputError} if the strengths are not descending positive numbers, or features and labels do not fit
 */
export function logisticRegression(
  train: Features,
  validation: Features,
  test: Features,
  options: LogisticRegressionOptions,
): LogisticRegressionScore {
  const { classCount, strengths = defaultStrengths } = options;
  checkLabeled(train, "train", classCount, train.dimension);
  checkLabeled(validation, "validation", classCount, train.dimension);
  checkLabeled(test, "test", classCount, train.dimension);
  checkStrengths(strengths);
  const { inputs, variances } = rotatedInputs([train, validation, test]);
  const [trainInputs, validationInputs, testInputs] = inputs as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
  try {
    const tried: { readonly weights: Float64Array; readonly fit: LogisticFit }[] = [];
    let chosen = 0;
    for (const [at, l2] of strengths.entries()) {
      const start = tried.at(-1)?.weights;
      const { weights, ...fit } = fitStrength(trainInputs, variances, train.labels, classCount, l2, start);
      const validationAccuracy = scoreOfWeights(weights, validationInputs, validation, classCount).accuracy;
      tried.push({ weights, fit: { ...fit, validationAccuracy } });
      if (validationAccuracy > tried[chosen]!.fit.validationAccuracy) chosen = at;
      const lately = tried.slice(-PATIENCE).map(({ fit }) => fit.validationAccuracy);
      if (at - chosen >= PATIENCE && Math.max(...lately) < tried[chosen]!.fit.validationAccuracy) break;
    }
    const { weights, fit } = tried[chosen]!;
    return {
      ...scoreOfWeights(weights, testInputs, test, classCount),
      ...fit,
      atEdge: strengths.length > 1 && (chosen === 0 || chosen === strengths.length - 1),
      strengths: tried.map((one) => one.fit),
      trainAccuracy: scoreOfWeights(weights, trainInputs, train, classCount).accuracy,
    };
  } finally {
    tf.dispose(inputs);
  }
}

function checkStrengths(strengths: readonly number[]): void {
  const descending = strengths.every((l2, at) => l2 > 0 && l2 < (strengths[at - 1] ?? Infinity));
  if (strengths.length === 0 || !descending) {
    throw new InputError(
      "Cannot fit the logistic regression: strengths of L2 must be positive numbers in descending order, " +
        `current value is [${strengths.join(", ")}]`,
    );
  }
}

function scoreOfWeights(weights: Float64Array, inputs: tf.Tensor2D, features: Features, classCount: number): Score {
  const predictions = bestClasses(logitsOf(weights, inputs, classCount), classCount);
  return scoreOf(predictions, features.labels, features.groups);
}

/**
 * The parts, standardized by the first, turned to its principal axes, and with a column of ones for the intercept. Turning changes
 * neither the penalty nor any prediction, and lets the fit scale each axis by its own curvature.
 */
function rotatedInputs(parts: readonly [train: Features, ...others: Features[]]) {
  const scaling = scalingOf(parts[0]);
  return tf.tidy(() => {
    const flat = parts.map((part) => standardized(part, scaling));
    const { axes, variances } = principalAxes(flat[0]!);
    const inputs = flat.map((part) => tf.keep(tf.concat([tf.matMul(part, axes), tf.ones([part.shape[0], 1])], 1)));
    return { inputs, variances };
  });
}

interface Scaling {
  readonly mean: Float64Array;
  readonly std: Float64Array;
}

/** A standard deviation below this share of the mean is rounding, not variation: float32 features vary by 6e-8 or not at all. */
const CONSTANT = 1e-11;

/** Mean and standard deviation (over count) of each feature; the deviation of a constant one is 1. */
function scalingOf({ values, dimension, labels }: Features): Scaling {
  const count = labels.length;
  const mean = new Float64Array(dimension);
  const std = new Float64Array(dimension);
  values.forEach((value, at) => (mean[at % dimension]! += value / count));
  values.forEach((value, at) => (std[at % dimension]! += (value - mean[at % dimension]!) ** 2 / count));
  for (let at = 0; at < dimension; at++) {
    const deviation = Math.sqrt(std[at]!);
    std[at] = deviation > CONSTANT * Math.abs(mean[at]!) ? deviation : 1;
  }
  return { mean, std };
}

/** [count, dimension]: the features less the mean, by the standard deviation. */
function standardized({ values, dimension, labels }: Features, { mean, std }: Scaling): tf.Tensor2D {
  const scaled = values.map((value, at) => (value - mean[at % dimension]!) / std[at % dimension]!);
  return tf.tensor2d(scaled, [labels.length, dimension]);
}
