import { tf } from "../../engine/tf";

/**
 * Binary cross-entropy of logits, summed.
 *
 * @param labels - 1 or 0, one a logit
 */
export function binaryCrossEntropy(logits: tf.Tensor1D, labels: Float32Array): tf.Scalar {
  return tf.tidy(() => tf.sum<tf.Scalar>(tf.sub(tf.softplus(logits), tf.mul(logits, tf.tensor1d(labels)))));
}

/**
 * L1 distance, summed: detectron2's box regression loss (smooth L1 with beta 0).
 *
 * @param predicted - deltas, [N, 4]
 * @param target - deltas, [N, 4]
 */
export function boxRegressionLoss(predicted: tf.Tensor2D, target: Float32Array): tf.Scalar {
  return tf.tidy(() => tf.sum<tf.Scalar>(tf.abs(tf.sub(predicted, tf.tensor2d(target, [target.length / 4, 4])))));
}

/**
 * Of the deltas that a box head gives for each class, those of one class a region.
 *
 * @param deltas - [R, 4 * K], class after class
 * @param regions - rows, [P]
 * @param classes - one for each of `regions`, 0 to K - 1
 * @returns [P, 4]
 */
export function deltasOfClass(deltas: tf.Tensor2D, regions: Int32Array, classes: Int32Array): tf.Tensor2D {
  return tf.tidy(() => {
    const perRegion = deltas.shape[1] / 4;
    const rows = regions.map((region, position) => region * perRegion + classes[position]!);
    return tf.gather(deltas.as2D(deltas.shape[0] * perRegion, 4), tf.tensor1d(rows, "int32"));
  });
}
