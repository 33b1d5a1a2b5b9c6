import { tf } from "../engine/tf";

/**
 * Computes a float32 tensor and returns its values, leaving no tensor behind.
 * The values are read after `tf.tidy`: an array returned through it is searched for tensors number by number.
 */
export function readValues(compute: () => tf.Tensor): Float32Array {
  const result = tf.tidy(compute);
  const values = result.dataSync<"float32">();
  result.dispose();
  return values;
}
