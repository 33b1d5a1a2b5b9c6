import { tf } from "../../src/engine/tf";
import type { StateDict } from "../../src/weights/state-dict";

/** The numbers that test/golden/hashed.py computes under the same name: in [low, high), by Wellons' lowbias32. */
export function hashed(seed: number, size: number, low: number, high: number): Float32Array {
  const offset = Math.imul(seed, 0x9e3779b9);
  return Float32Array.from({ length: size }, (_, position) => {
    let h = (position + offset) | 0;
    h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
    h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
    h = (h ^ (h >>> 16)) >>> 0;
    return low + (high - low) * (h / 2 ** 32);
  });
}

/** The weights that test/golden/hashed.py gives a network; shapes are PyTorch's. */
export function hashedState(shapes: Readonly<Record<string, readonly number[]>>): StateDict {
  return new Map(
    Object.keys(shapes)
      .sort()
      .map((name, seed) => {
        const shape = shapes[name]!;
        const size = tf.util.sizeFromShape([...shape]);
        const bound = Math.sqrt(6 / tf.util.sizeFromShape(shape.slice(1)));
        const [low, high]: readonly [number, number] =
          shape.length > 1 ? [-bound, bound] : /running_var$|\.weight$/.test(name) ? [0.5, 1.5] : [-0.2, 0.2];
        return [name, { shape, values: hashed(seed, size, low, high) }];
      }),
  );
}

/** Hashed images, [count, size, size, channels], in [-1, 1). */
export function hashedImages(seed: number, count: number, size: number, channels = 3): tf.Tensor4D {
  return tf.tensor4d(hashed(seed, count * size * size * channels, -1, 1), [count, size, size, channels]);
}

const sampleSize = 48;

/** A tensor's values, or 48 of them from hashed positions if it has more: what test/golden/hashed.py stores. */
export function sampled(values: Float32Array): Float32Array {
  if (values.length <= sampleSize) return values;
  const positions = hashed(9000, sampleSize, 0, 1);
  return positions.map((share) => values[Math.min(Math.floor(share * values.length), values.length - 1)]!);
}
