import { gatherRows } from "../../engine/gather-rows";
import { tf } from "../../engine/tf";

/**
 * Binary cross-entropy of logits, summed.
 *
 * @param labels - 1 or 0, one a logit
 */
export function binaryCrossEntropy(logits: tf.Tensor1D, labels: tf.Tensor1D): tf.Scalar {
  return tf.tidy(() => tf.sum<tf.Scalar>(tf.sub(tf.softplus(logits), tf.mul(logits, labels))));
}

/**
 * L1 distance, summed: detectron2's box regression loss (smooth L1 with beta 0).
 *
 * @param predicted - deltas, [N, 4]
 * @param target - deltas, [N, 4]
 */
export function boxRegressionLoss(predicted: tf.Tensor2D, target: tf.Tensor2D): tf.Scalar {
  return tf.tidy(() => tf.sum<tf.Scalar>(tf.abs(tf.sub(predicted, target))));
}

/**
 * Of what a head gives for each class, that of one class a region.
 *
 * @param regions - rows, [P]
 * @param labels - one for each of `regions`, 0 to K - 1
 * @param classes - K
 * @returns int32 [P]: rows of [regions times K], class after class
 */
export function rowsOfClass(regions: Int32Array, labels: Int32Array, classes: number): Int32Array {
  return regions.map((region, position) => region * classes + labels[position]!);
}

/**
 * Of the deltas that a box head gives for each class, those of one class a region.
 *
 * @param deltas - [R, 4 * K], class after class
 * @param rows - of {@link rowsOfClass}, int32 [P]
 * @returns [P, 4]
 */
export function deltasOfClass(deltas: tf.Tensor2D, rows: tf.Tensor1D): tf.Tensor2D {
  return tf.tidy(() => gatherRows(deltas.as2D((deltas.shape[0] * deltas.shape[1]) / 4, 4), rows));
}
