import { tf } from "../engine/tf";
import { lbfgs, type Evaluated } from "./lbfgs";
import { readValues } from "./read-values";

/** A fit has converged when the gradient of its objective, in the scaled coordinates, has at most this Euclidean norm. */
const gradientTolerance = 1e-4;

/** A fit that takes more iterations than this is reported as not converged. */
const maxIterations = 2000;

/** A multinomial logistic model fitted at one strength of L2. */
export interface StrengthFit {
  readonly l2: number;
  /** [classCount, dimension + 1], row-major; the last column is the intercepts. */
  readonly weights: Float64Array;
  /** Mean cross-entropy plus the penalty, at the end. */
  readonly objective: number;
  /** Iterations of L-BFGS. */
  readonly iterations: number;
  readonly converged: boolean;
}

/**
 * Minimizes mean cross-entropy + l2 / 2 * (sum of squared weights without intercepts).
 *
 * The curvature of the cross-entropy along an axis of variance v is at most v / 2 (Boehning, 1992). So an axis is scaled by
 * 1 / sqrt(v / 2 + l2), which leaves L-BFGS a well-conditioned problem however unequal the features are.
 *
 * @param inputs - [count, dimension + 1], turned to the principal axes; the last column is ones
 * @param variances - of each axis
 * @param start - weights to start from, zeros if undefined
 */
export function fitStrength(
  inputs: tf.Tensor2D,
  variances: Float32Array,
  labels: Int32Array,
  classCount: number,
  l2: number,
  start: Float64Array | undefined,
): StrengthFit {
  const columns = variances.length + 1;
  const strengths = new Float64Array(columns).fill(l2);
  strengths[columns - 1] = 0;
  // The intercept is an axis of mean square 1. An eigenvalue of zero may come out slightly below it.
  const scales = Float64Array.from([...variances, 1], (variance, axis) => {
    return 1 / Math.sqrt(Math.max(variance, 0) / 2 + strengths[axis]!);
  });
  const penalties = scales.map((scale, axis) => strengths[axis]! * scale ** 2);
  const scaledInputs = tf.tidy(() => inputs.mul<tf.Tensor2D>(tf.tensor1d(Float32Array.from(scales))));
  try {
    const { point, value, iterations, converged } = lbfgs(
      (weights) => objective(weights, scaledInputs, labels, classCount, penalties),
      (start ?? new Float64Array(columns * classCount)).map((weight, at) => weight / scales[at % columns]!),
      { tolerance: gradientTolerance, maxIterations },
    );
    const weights = point.map((weight, at) => weight * scales[at % columns]!);
    return { l2, weights, objective: value, iterations, converged };
  } finally {
    scaledInputs.dispose();
  }
}

/**
 * The scores of each class, [count, classCount], row-major.
 *
 * @param weights - [classCount, columns of inputs], row-major
 */
export function logitsOf(weights: Float64Array, inputs: tf.Tensor2D, classCount: number): Float32Array {
  return readValues(() => {
    const matrix = tf.tensor2d(Float32Array.from(weights), [classCount, inputs.shape[1]]);
    return tf.matMul(inputs, matrix, false, true);
  });
}

/**
 * The objective and its gradient. The two products with the inputs run in float32 on the engine; the rest is float64.
 *
 * @param penalties - of the square of each weight of an axis, twice
 */
function objective(
  weights: Float64Array,
  inputs: tf.Tensor2D,
  labels: Int32Array,
  classCount: number,
  penalties: Float64Array,
): Evaluated {
  const count = labels.length;
  const { crossEntropy, residual } = softmaxCrossEntropy(logitsOf(weights, inputs, classCount), labels, classCount);
  const product = readValues(() => tf.matMul(tf.tensor2d(residual, [count, classCount]), inputs, true, false));
  const gradient = new Float64Array(weights.length);
  let penalty = 0;
  for (let at = 0; at < weights.length; at++) {
    const weight = weights[at]!;
    const strength = penalties[at % penalties.length]!;
    penalty += (strength / 2) * weight ** 2;
    gradient[at] = product[at]! / count + strength * weight;
  }
  return { value: crossEntropy / count + penalty, gradient };
}

/** The summed cross-entropy, and its gradient with respect to the logits: probability less target. */
function softmaxCrossEntropy(logits: Float32Array, labels: Int32Array, classCount: number) {
  const residual = new Float32Array(logits.length);
  let crossEntropy = 0;
  for (let image = 0; image < labels.length; image++) {
    const row = image * classCount;
    const end = row + classCount;
    let most = -Infinity;
    for (let at = row; at < end; at++) most = Math.max(most, logits[at]!);
    let sum = 0;
    for (let at = row; at < end; at++) sum += Math.exp(logits[at]! - most);
    for (let at = row; at < end; at++) residual[at] = Math.exp(logits[at]! - most) / sum;
    const target = row + labels[image]!;
    residual[target]! -= 1;
    crossEntropy += Math.log(sum) + most - logits[target]!;
  }
  return { crossEntropy, residual };
}
