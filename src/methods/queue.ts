import { InputError } from "../engine/errors";
import type { Random } from "../engine/random";
import { tf } from "../engine/tf";
import { normalizeRows } from "../nn/encoder";

/**
 * The dictionary of the paper as a queue (section 3.2): the keys of the last K / N batches, first in, first out.
 *
 * A ring, as in the official code: each batch overwrites the oldest one in place. Owns its tensor: call `dispose`.
 */
export class KeyQueue {
  private ring: tf.Tensor2D;

  /** Which image of the training set each key is of, [K], for analysis; -1 where that is not known. */
  readonly images: Int32Array;

  /**
   * @param keys - [K, C], unit vectors; taken over, do not dispose it
   * @param oldest - row of the oldest key
   * @param images - which image each key is of; left out, it is not known
   */
  constructor(
    keys: tf.Tensor2D,
    private oldest = 0,
    images?: ArrayLike<number>,
  ) {
    this.ring = tf.keep(keys);
    this.images = images ? Int32Array.from(images) : new Int32Array(keys.shape[0]).fill(-1);
  }

  /** A queue filled with random unit vectors, as the official code starts. */
  static random(size: number, dimension: number, random: Random): KeyQueue {
    const values = Float32Array.from({ length: size * dimension }, () => random.normal());
    return new KeyQueue(tf.tidy(() => normalizeRows(tf.tensor2d(values, [size, dimension]))));
  }

  /** All keys, [K, C], in the order of the ring. Valid until the next `replaceOldest`. */
  get keys(): tf.Tensor2D {
    return this.ring;
  }

  /** Row of the oldest key: where the next batch goes. */
  get pointer(): number {
    return this.oldest;
  }

  /** How many keys it holds: K. */
  get size(): number {
    return this.ring.shape[0];
  }

  /**
   * Overwrites the oldest keys with a new batch.
   *
   * @param keys - [N, C], unit vectors, without gradient; N must divide K
   * @param images - which image each key is of, [N]
   */
  replaceOldest(keys: tf.Tensor2D, images?: Int32Array): void {
    const [count, dimension] = keys.shape;
    assertQueueFits(this.size, count);
    const next = tf.tidy(() => {
      const before = tf.slice2d(this.ring, [0, 0], [this.oldest, dimension]);
      const after = tf.slice2d(this.ring, [this.oldest + count, 0], [this.size - this.oldest - count, dimension]);
      return tf.concat2d([before, keys, after], 0);
    });
    this.ring.dispose();
    this.ring = tf.keep(next);
    if (images) this.images.set(images, this.oldest);
    else this.images.fill(-1, this.oldest, this.oldest + count);
    this.oldest = (this.oldest + count) % this.size;
  }

  dispose(): void {
    this.ring.dispose();
  }
}

/**
 * Checks that whole batches fill the queue.
 *
 * @throws InputError if the batch does not divide K
 */
export function assertQueueFits(queueSize: number, batchSize: number): void {
  if (queueSize % batchSize === 0) return;
  const nearest = Math.max(1, Math.round(queueSize / batchSize)) * batchSize;
  throw new InputError(
    `Cannot fill the queue with whole batches: K must be a multiple of the batch size ${batchSize}, ` +
      `for example ${nearest}; current K is ${queueSize}`,
  );
}
