import { tf } from "../engine/tf";

/**
 * Subtracts the mean and divides by the standard deviation of each channel.
 *
 * @param images - [count, height, width, 3], in the unit of `mean` and `std`
 */
export function normalize(images: tf.Tensor4D, mean: readonly number[], std: readonly number[]): tf.Tensor4D {
  return tf.tidy(() => {
    // A whole row of channels at once: TensorFlow is three times slower where it repeats only three numbers.
    const alongRow = (values: readonly number[]) => tf.tile(tf.tensor2d([...values], [1, 3]), [images.shape[2], 1]);
    return images.sub(alongRow(mean)).div(alongRow(std));
  });
}
