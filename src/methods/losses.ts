import { tf } from "../engine/tf";

/**
 * Logits of the (K+1)-way classification of the paper's equation 1: the positive stands in column 0.
 *
 * @param queries - [N, C], unit vectors
 * @param keys - [N, C], unit vectors: the positive of each query
 * @param options.negatives - [K, C], unit vectors
 * @returns similarities divided by the temperature, [N, K + 1]
 */
export function contrastLogits(
  queries: tf.Tensor2D,
  keys: tf.Tensor2D,
  { negatives, temperature }: { readonly negatives: tf.Tensor2D; readonly temperature: number },
): tf.Tensor2D {
  const positive: tf.Tensor2D = queries.mul(keys).sum(1, true);
  const negative: tf.Tensor2D = tf.matMul(queries, negatives, false, true);
  return tf.div<tf.Tensor2D>(tf.concat2d([positive, negative], 1), temperature);
}

/** InfoNCE (equation 1): cross-entropy of the logits with the positive, column 0, as the class; mean over the batch. */
export function infoNCE(logits: tf.Tensor2D): tf.Scalar {
  const positive = tf.squeeze<tf.Tensor1D>(tf.slice2d(logits, [0, 0], [-1, 1]), [1]);
  return tf.mean(tf.sub(tf.logSumExp(logits, 1), positive));
}

/** Share of queries whose positive, column 0, has the highest logit: the pretext accuracy. */
export function contrastAccuracy(logits: tf.Tensor2D): tf.Scalar {
  return tf.mean(tf.cast(tf.equal(tf.argMax(logits, 1), 0), "float32"));
}

/**
 * Cross-entropy of softmax, mean over the rows: InfoNCE where the positive of each row has a column of its own.
 *
 * @param logits - [N, columns]
 * @param targets - the right column of each row, int32 [N]
 */
export function crossEntropy(logits: tf.Tensor2D, targets: tf.Tensor1D): tf.Scalar {
  return tf.tidy(() => {
    const right = tf.mul(logits, tf.oneHot(targets, logits.shape[1], 1, 0, "float32"));
    return tf.mean<tf.Scalar>(tf.sub(tf.logSumExp(logits, 1), tf.sum(right, 1)));
  });
}

/** Share of rows whose highest logit is in the right column. */
export function topOneAccuracy(logits: tf.Tensor2D, targets: tf.Tensor1D): tf.Scalar {
  return tf.tidy(() => tf.mean<tf.Scalar>(tf.cast(tf.equal(tf.argMax(logits, 1), targets), "float32")));
}
