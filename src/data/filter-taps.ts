/** Which pixels each pixel of a resized side is a mean of, and with which weights. */
export interface ResizingTaps {
  /** First input pixel of each output pixel. */
  readonly firsts: Int32Array;
  /** How many input pixels each has. */
  readonly counts: Int32Array;
  /** [outputs, stride]: their weights, which sum to 1; the rest of a row is 0. */
  readonly weights: Float32Array;
  readonly stride: number;
}

/**
 * The taps that resize a side of `length` pixels to `outputs`.
 *
 * Bilinear with antialiasing, as torchvision's `resize(..., antialias=True)` and PIL: a triangle filter, widened by the
 * factor of the reduction, that sees no pixel outside of the side.
 */
export function resizingTaps(length: number, outputs: number): ResizingTaps {
  const scale = length / outputs;
  const reach = Math.max(scale, 1);
  const stride = Math.ceil(2 * reach) + 1;
  const taps = {
    firsts: new Int32Array(outputs),
    counts: new Int32Array(outputs),
    weights: new Float32Array(outputs * stride),
    stride,
  };
  for (let output = 0; output < outputs; output++) {
    const center = (output + 0.5) * scale;
    const first = Math.max(Math.floor(center - reach + 0.5), 0);
    const end = Math.min(Math.floor(center + reach + 0.5), length);
    taps.firsts[output] = first;
    taps.counts[output] = end - first;
    let sum = 0;
    for (let input = first; input < end; input++) sum += triangle((input + 0.5 - center) / reach);
    for (let input = first; input < end; input++) {
      taps.weights[output * stride + input - first] = triangle((input + 0.5 - center) / reach) / sum;
    }
  }
  return taps;
}

function triangle(distance: number): number {
  return Math.max(1 - Math.abs(distance), 0);
}

/**
 * The weights of a Gaussian of `sigma` pixels, an odd number of them that sum to 1: cut at three sigma, or where a reflected
 * position would lie outside of a side of `size` pixels. A single 1 for a sigma of 0.
 */
export function gaussianTaps(sigma: number, size: number): Float64Array {
  if (sigma === 0) return Float64Array.of(1);
  // A reflected position must lie in the image.
  const radius = Math.min(Math.ceil(3 * sigma), size - 1);
  const taps = Float64Array.from({ length: 2 * radius + 1 }, (_, tap) =>
    Math.exp(-0.5 * ((tap - radius) / sigma) ** 2),
  );
  const sum = taps.reduce((total, tap) => total + tap, 0);
  return taps.map((tap) => tap / sum);
}
