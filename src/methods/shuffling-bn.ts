import { tf } from "../engine/tf";
import { encode, type Encoder } from "../nn/encoder";

/** Gives the next random order of a batch, [N]. */
export type NextPermutation = () => Int32Array;

/**
 * Shuffling BN (section 3.3): the keys are normalized in other groups than their queries, so that the statistics of a
 * group do not give the positive away. With one group the shuffle alone changes nothing. A gradient passes through.
 *
 * @param nextPermutation - order in which the images go to the groups; false leaves them as they are
 * @returns unit vectors in the order of the images, [N, dimension]
 */
export function encodeShuffled(
  encoder: Encoder,
  images: tf.Tensor4D,
  groups: number,
  nextPermutation: NextPermutation | false,
): tf.Tensor2D {
  if (nextPermutation === false) return encode(encoder, images, groups);
  return tf.tidy(() => {
    const permutation = nextPermutation();
    const shuffled = tf.gather(images, tf.tensor1d(permutation, "int32"));
    return tf.gather(encode(encoder, shuffled, groups), tf.tensor1d(inverse(permutation), "int32"));
  });
}

/** The order that undoes another. */
export function inverse(permutation: Int32Array): Int32Array {
  const result = new Int32Array(permutation.length);
  permutation.forEach((source, position) => (result[source] = position));
  return result;
}
