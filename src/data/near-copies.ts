import { tf } from "../engine/tf";

type Place = (row: number, column: number, last: number) => readonly [row: number, column: number];

/** The eight symmetries of a square: a mirrored or turned copy is a copy, above all where augmentation flips images. */
const symmetries: readonly Place[] = [
  (row, column) => [row, column],
  (row, column, last) => [row, last - column],
  (row, column, last) => [last - row, column],
  (row, column, last) => [last - row, last - column],
  (row, column) => [column, row],
  (row, column, last) => [last - column, last - row],
  (row, column, last) => [column, last - row],
  (row, column, last) => [last - column, row],
];

/** Float32 rounding of a product of two unit vectors of some thousand values stays far below this. */
const rounding = 1e-4;

/** Options of {@link nearCopies}. */
export interface NearCopiesOptions {
  /** Pairs above this correlation are near copies. */
  readonly threshold: number;
  /** Count mirrored and turned copies. */
  readonly turned: boolean;
}

/**
 * Pairs of images that are copies of each other or nearly so, by the Pearson correlation of their pixels (the "centered
 * cosine"). The engine finds candidates in float32; each is then decided in double precision, so that the answer is the
 * same on every machine.
 *
 * @param pixels - [count, size, size, 3]
 * @param size - side of an image in pixels
 * @returns pairs of indices, smaller index first, in order
 */
export function nearCopies(
  pixels: Uint8Array,
  size: number,
  { threshold, turned }: NearCopiesOptions,
): readonly (readonly [number, number])[] {
  const length = size * size * 3;
  const count = pixels.length / length;
  const units = unitRows(pixels, count, length);
  const found = new Set<number>();
  for (const place of turned ? symmetries : symmetries.slice(0, 1)) {
    const order = pixelOrder(place, size);
    const cosines = products(units, reorder(units, order), count);
    for (let a = 0; a < count; a++) {
      for (let b = a + 1; b < count; b++) {
        if (cosines[a * count + b]! <= threshold - rounding || found.has(a * count + b)) continue;
        if (correlation(pixels, a, b, order) > threshold) found.add(a * count + b);
      }
    }
  }
  return [...found].sort((a, b) => a - b).map((pair) => [Math.floor(pair / count), pair % count]);
}

/**
 * Share of images that have a near copy among others.
 *
 * @param images - [count, size, size, 3], for example the test part
 * @param others - [count, size, size, 3], for example the training part
 * @param threshold - correlation above which two images are near copies
 * @param size - side of an image in pixels
 */
export function nearCopyShare(images: Uint8Array, others: Uint8Array, threshold: number, size: number): number {
  const length = size * size * 3;
  const count = images.length / length;
  const otherCount = others.length / length;
  const cosines = products(unitRows(images, count, length), unitRows(others, otherCount, length), count);
  let near = 0;
  for (let row = 0; row < count; row++) {
    if (cosines.subarray(row * otherCount, (row + 1) * otherCount).some((cosine) => cosine > threshold)) near++;
  }
  return near / count;
}

/** Each row less its mean, scaled to unit length; an image of one color becomes zeros and correlates with nothing. */
function unitRows(pixels: Uint8Array, count: number, length: number): Float32Array {
  const units = new Float32Array(pixels.length);
  for (let row = 0; row < count; row++) {
    const values = pixels.subarray(row * length, (row + 1) * length);
    const mean = values.reduce((sum, value) => sum + value, 0) / length;
    const norm = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0));
    if (norm === 0) continue;
    for (let index = 0; index < length; index++) units[row * length + index] = (values[index]! - mean) / norm;
  }
  return units;
}

/** [count, others] products of rows. */
function products(rows: Float32Array, others: Float32Array, count: number): Float32Array {
  const length = rows.length / count;
  const product = tf.tidy(() => {
    const a = tf.tensor2d(rows, [count, length]);
    const b = tf.tensor2d(others, [others.length / length, length]);
    return tf.matMul(a, b, false, true);
  });
  // Read outside tidy, which would look for tensors in each of the millions of numbers.
  const values = product.dataSync<"float32">();
  product.dispose();
  return values;
}

/** For each value of an image, the index of the value that a symmetry puts there. */
function pixelOrder(place: Place, size: number): Int32Array {
  const order = new Int32Array(size * size * 3);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const [fromRow, fromColumn] = place(row, column, size - 1);
      for (let channel = 0; channel < 3; channel++) {
        order[(row * size + column) * 3 + channel] = (fromRow * size + fromColumn) * 3 + channel;
      }
    }
  }
  return order;
}

/** Each row with its values in another order. */
function reorder(rows: Float32Array, order: Int32Array): Float32Array {
  const reordered = new Float32Array(rows.length);
  for (let start = 0; start < rows.length; start += order.length) {
    for (let index = 0; index < order.length; index++) reordered[start + index] = rows[start + order[index]!]!;
  }
  return reordered;
}

/** Pearson correlation of image `a` and image `b` after a symmetry. The sums are whole numbers, so they are exact. */
function correlation(pixels: Uint8Array, a: number, b: number, order: Int32Array): number {
  const length = order.length;
  let [sumA, sumB, squareA, squareB, product] = [0, 0, 0, 0, 0];
  for (let index = 0; index < length; index++) {
    const valueA = pixels[a * length + index]!;
    const valueB = pixels[b * length + order[index]!]!;
    sumA += valueA;
    sumB += valueB;
    squareA += valueA * valueA;
    squareB += valueB * valueB;
    product += valueA * valueB;
  }
  const spread = Math.sqrt((length * squareA - sumA * sumA) * (length * squareB - sumB * sumB));
  return spread === 0 ? 0 : (length * product - sumA * sumB) / spread;
}
