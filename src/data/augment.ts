import { tf } from "../engine/tf";
import type { AugmentationParameters } from "./augmentation-parameters";
import { grayscale, jitterColors } from "./color-jitter";
import { blurMaps, cropMaps, resample } from "./resample";

/**
 * Applies the parameters: crop and resize, gray and color jitter (or the other way round), blur, flip.
 *
 * One call with both views of a batch (`parameters` of twice the count, the images given twice) is faster than two.
 *
 * @param images - [count, size, size, 3], float32 in 0..1
 * @param outputSize - side of the result in pixels
 * @returns [count, outputSize, outputSize, 3] in 0..1, not normalized
 */
export function augment(images: tf.Tensor4D, parameters: AugmentationParameters, outputSize: number): tf.Tensor4D {
  const { size, tops, lefts, heights, widths, flips, jitter, gray, grayscaleAt, blurSigmas } = parameters;
  const expected = [tops.length, size, size, 3];
  if (images.shape.some((length, axis) => length !== expected[axis])) {
    throw new Error(
      `Cannot augment: images must be [${expected.join(", ")}], current shape is [${images.shape.join(", ")}]`,
    );
  }
  return tf.tidy(() => {
    const rows = cropMaps(tops, heights, undefined, size, outputSize);
    // Mirroring commutes with all that follows, so it costs nothing here.
    const columns = cropMaps(lefts, widths, flips, size, outputSize);
    const cropped = resample(tf.transpose(images, [0, 3, 1, 2]), rows, columns);

    let colors: tf.Tensor3D = cropped.reshape([tops.length, 3, outputSize * outputSize]);
    if (grayscaleAt === "before jitter") colors = grayscale(colors, gray);
    colors = jitterColors(colors, jitter);
    if (grayscaleAt === "after jitter") colors = grayscale(colors, gray);

    let view: tf.Tensor4D = colors.reshape(cropped.shape);
    if (blurSigmas) {
      const blur = blurMaps(blurSigmas, outputSize);
      view = resample(view, blur, blur);
    }
    return tf.transpose(view, [0, 2, 3, 1]);
  });
}

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
