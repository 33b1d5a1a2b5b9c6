import { gatherRows } from "../engine/gather-rows";
import { runKernel, type Attributes } from "../engine/kernels";
import { tf } from "../engine/tf";
import { encode, type Encoder } from "../nn/encoder";
import type { Batch } from "./method";

const attributes: Attributes = { T: { dtype: "int32" }, Tindices: { dtype: "int32" } };

/**
 * Shuffling BN (section 3.3): the keys are normalized in other groups than their queries, so that the statistics of a
 * group do not give the positive away. With one group the shuffle alone changes nothing. A gradient passes through.
 *
 * @param options.bnGroups - parts of the batch with batch statistics of their own
 * @param options.permutation - order in which the images go to the groups, int32 [N]; undefined leaves them as they are
 * @returns unit vectors in the order of the images, [N, dimension]
 */
export function encodeShuffled(
  encoder: Encoder,
  images: tf.Tensor4D,
  { bnGroups, permutation }: { readonly bnGroups: number; readonly permutation: tf.Tensor1D | undefined },
): tf.Tensor2D {
  if (permutation === undefined) return encode(encoder, images, { bnGroups });
  return tf.tidy(() => {
    const shuffled = gatherRows(images, permutation);
    return gatherRows(encode(encoder, shuffled, { bnGroups }), inverse(permutation));
  });
}

/** The order that undoes another, int32 [N]. */
function inverse(permutation: tf.Tensor1D): tf.Tensor1D {
  return tf.tidy(() => {
    const positions = tf.range(0, permutation.size, 1, "int32");
    const rows = tf.reshape(permutation, [permutation.size, 1]);
    return runKernel("TensorScatterUpdate", attributes, [tf.zerosLike(permutation), rows, positions]) as tf.Tensor1D;
  });
}

/** Orders for shuffling BN, of one step: one for each time that keys are encoded. */
export function drawPermutation(
  batch: Batch,
  count: 1 | 2 = 1,
): { readonly permutation: Int32Array; readonly secondPermutation?: Int32Array } {
  const random = batch.random("shuffle BN");
  const permutation = random.permutation(batch.size);
  return count === 1 ? { permutation } : { permutation, secondPermutation: random.permutation(batch.size) };
}
