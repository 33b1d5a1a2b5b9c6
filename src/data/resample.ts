import { tf } from "../engine/tf";
import { resizingTaps } from "./filter-taps";

/**
 * A linear map along one side of each image of a batch: output pixel `o` of image `n` is the sum over the input pixels
 * `i` of `values[(n * outputs + o) * inputs + i]` times pixel `i`. Rows sum to 1.
 */
export interface SideMaps {
  /** [count, outputs, inputs], row-major. */
  readonly values: Float32Array;
  /** Pixels along the side before. */
  readonly inputs: number;
  /** Pixels along the side after. */
  readonly outputs: number;
}

/**
 * The maps that cut `lengths[n]` pixels from `starts[n]` on out of a side of `inputs` pixels, and resize them to `outputs`.
 *
 * Bilinear with antialiasing, as torchvision's `resize(..., antialias=True)` and PIL: a triangle filter, widened by the
 * factor of the reduction, that sees no pixel outside of the cut.
 *
 * @param mirrored - 1 for each image whose outputs are to run backwards
 */
export function cropMaps(
  starts: Int32Array,
  lengths: Int32Array,
  mirrored: Uint8Array | undefined,
  inputs: number,
  outputs: number,
): SideMaps {
  const count = starts.length;
  const values = new Float32Array(count * outputs * inputs);
  for (let image = 0; image < count; image++) {
    const { firsts, counts, weights, stride } = resizingTaps(lengths[image]!, outputs);
    for (let output = 0; output < outputs; output++) {
      const row = mirrored?.[image] ? outputs - 1 - output : output;
      const offset = (image * outputs + row) * inputs + starts[image]! + firsts[output]!;
      values.set(weights.subarray(output * stride, output * stride + counts[output]!), offset);
    }
  }
  return { values, inputs, outputs };
}

/**
 * Maps both sides of every image: `rows` its height, `columns` its width.
 *
 * @param images - [count, channels, rows.inputs, columns.inputs]
 * @returns [count, channels, rows.outputs, columns.outputs]
 */
export function resample(images: tf.Tensor4D, rows: SideMaps, columns: SideMaps): tf.Tensor4D {
  return tf.tidy(() => {
    const [count, channels, height, width] = images.shape;
    const acrossMaps = tf.tensor3d(columns.values, [count, columns.outputs, width]);
    const downMaps = tf.tensor4d(rows.values, [count, 1, rows.outputs, height]);
    const across = tf.matMul(images.reshape([count, channels * height, width]), acrossMaps, false, true);
    return tf.matMul(downMaps, across.reshape([count, channels, height, columns.outputs]));
  });
}
