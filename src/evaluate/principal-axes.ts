import { runKernelMultiple } from "../engine/kernels";
import { tf } from "../engine/tf";
import { readValues } from "./read-values";

/** The directions of a cloud of points, and the variance along each. */
export interface PrincipalAxes {
  /** [dimension, dimension], a direction a column, of length 1 and at right angles to each other. */
  readonly axes: tf.Tensor2D;
  /** Mean square along each direction, ascending. */
  readonly variances: Float32Array;
}

/**
 * The eigenvectors and eigenvalues of inputs' inputs / count, by TensorFlow's symmetric eigensolver.
 * On one core, about 0.01 s for dimension 128 and 12 s for 3,072.
 *
 * @param inputs - [count, dimension], centered
 */
export function principalAxes(inputs: tf.Tensor2D): PrincipalAxes {
  const [values, axes] = tf.tidy(() => {
    const covariance = tf.matMul(inputs, inputs, true, false).div(inputs.shape[0]);
    return runKernelMultiple(
      "SelfAdjointEigV2",
      { compute_v: { bool: true }, T: { dtype: "float32" } },
      [covariance],
      2,
    );
  });
  const variances = readValues(() => values!);
  return { axes: axes as tf.Tensor2D, variances };
}
