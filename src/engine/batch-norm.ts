import { runKernelMultiple, type Attributes } from "./kernels";
import { tf } from "./tf";

/** Added to the variance before the square root, PyTorch's default. */
export const batchNormEpsilon = 1e-5;

const trainingAttributes: Attributes = {
  T: { dtype: "float32" },
  U: { dtype: "float32" },
  epsilon: { float: batchNormEpsilon },
  exponential_avg_factor: { float: 1 },
  data_format: { string: "NHWC" },
  is_training: { bool: true },
};

const gradientAttributes: Attributes = {
  T: { dtype: "float32" },
  U: { dtype: "float32" },
  epsilon: { float: batchNormEpsilon },
  data_format: { string: "NHWC" },
  is_training: { bool: true },
};

/** Mean and unbiased variance of a batch, [C] each: what PyTorch puts into the running averages. Kept: the caller disposes them. */
export interface BatchStatistics {
  readonly mean: tf.Tensor1D;
  readonly variance: tf.Tensor1D;
}

/**
 * Batch normalization with the statistics of the batch itself, by TensorFlow's fused kernel and its gradient.
 *
 * @param x - [N, H, W, C]
 * @param scale - gamma, [C]
 * @param offset - beta, [C]
 * @param onStatistics - receives the batch's statistics, without gradient
 * @returns [N, H, W, C]
 */
export function batchNormTraining(
  x: tf.Tensor4D,
  scale: tf.Tensor1D,
  offset: tf.Tensor1D,
  onStatistics: (statistics: BatchStatistics) => void,
): tf.Tensor4D {
  const normalize = tf.customGrad((...inputs) => {
    const [input, gamma, beta, save] = inputs as unknown as [tf.Tensor, tf.Tensor, tf.Tensor, tf.GradSaveFunc];
    // With factor 1 the old averages are ignored; the kernel wants empty ones then.
    const none = tf.tensor1d([]);
    const outputs = runKernelMultiple("FusedBatchNormV3", trainingAttributes, [input, gamma, beta, none, none], 6);
    const [y, mean, variance, ...reserved] = outputs as [tf.Tensor, tf.Tensor1D, tf.Tensor1D, ...tf.Tensor[]];
    onStatistics({ mean: tf.keep(mean), variance: tf.keep(variance) });
    save([input, gamma, ...reserved]);
    return {
      value: y,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) =>
        tf.tidy(() => runKernelMultiple("FusedBatchNormGradV3", gradientAttributes, [dy, ...saved], 5).slice(0, 3)),
    };
  });
  return normalize(x, scale, offset) as tf.Tensor4D;
}

/**
 * Batch normalization with running averages (evaluation mode).
 *
 * @param x - [N, H, W, C]; scale, offset, mean and variance are [C]
 */
export function batchNormInference(
  x: tf.Tensor4D,
  scale: tf.Tensor1D,
  offset: tf.Tensor1D,
  mean: tf.Tensor1D,
  variance: tf.Tensor1D,
): tf.Tensor4D {
  return tf.batchNorm4d(x, mean, variance, offset, scale, batchNormEpsilon);
}
