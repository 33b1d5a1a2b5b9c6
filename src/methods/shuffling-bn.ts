import { gatherRows } from "../engine/gather-rows";
import { runKernel, type Attributes } from "../engine/kernels";
import { tf } from "../engine/tf";
import { encode, type Encoder } from "../nn/encoder";

const attributes: Attributes = { T: { dtype: "int32" }, Tindices: { dtype: "int32" } };

/**
 * Shuffling BN (section 3.3): the keys are normalized in other groups than their queries, so that the statistics of a
 * group do not give the positive away. With one group the shuffle alone changes nothing. A gradient passes through.
 *
 * @param permutation - order in which the images go to the groups, int32 [N]; undefined leaves them as they are
 * @returns unit vectors in the order of the images, [N, dimension]
 */
export function encodeShuffled(
  encoder: Encoder,
  images: tf.Tensor4D,
  groups: number,
  permutation: tf.Tensor1D | undefined,
): tf.Tensor2D {
  if (permutation === undefined) return encode(encoder, images, groups);
  return tf.tidy(() => {
    const shuffled = gatherRows(images, permutation);
    return gatherRows(encode(encoder, shuffled, groups), inverse(permutation));
  });
}

/** The order that undoes another, int32 [N]. */
export function inverse(permutation: tf.Tensor1D): tf.Tensor1D {
  return tf.tidy(() => {
    const positions = tf.range(0, permutation.size, 1, "int32");
    const rows = tf.reshape(permutation, [permutation.size, 1]);
    return runKernel("TensorScatterUpdate", attributes, [tf.zerosLike(permutation), rows, positions]) as tf.Tensor1D;
  });
}
