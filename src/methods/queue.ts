import { InputError } from "../errors";
import { runKernel, type Attributes } from "../engine/kernels";
import type { Random } from "../engine/random";
import { tf } from "../engine/tf";
import { Variable } from "../engine/variable";
import { l2Normalize } from "../nn/encoder";

/**
 * The dictionary of the paper as a queue (section 3.2): the keys of the last K / N batches, first in, first out.
 *
 * A ring, as in the official code: each batch overwrites the oldest one in place. Owns its tensors: call `dispose`.
 */
export class KeyQueue {
  private readonly ring: Variable<tf.Tensor2D>;
  private readonly oldest: Variable<tf.Tensor1D>;
  private readonly keyImages: Variable<tf.Tensor1D>;

  /**
   * @param keys - [K, C], unit vectors; taken over, do not dispose it
   * @param oldest - row of the oldest key
   * @param images - which image of the training set each key is of, [K]; left out, it is not known
   */
  constructor(keys: tf.Tensor2D, oldest = 0, images?: ArrayLike<number>) {
    const known = images ? Int32Array.from(images) : new Int32Array(keys.shape[0]).fill(-1);
    this.ring = new Variable("queue", keys);
    this.oldest = new Variable("queue_pointer", tf.tensor1d([oldest], "int32"));
    this.keyImages = new Variable("queue_images", tf.tensor1d(known, "int32"));
  }

  /** A queue filled with random unit vectors, as the official code starts. */
  static random(size: number, dimension: number, random: Random): KeyQueue {
    const values = Float32Array.from({ length: size * dimension }, () => random.normal());
    return new KeyQueue(tf.tidy(() => l2Normalize(tf.tensor2d(values, [size, dimension]))));
  }

  /** All keys, [K, C], in the order of the ring. Valid until the next `replaceOldest`. */
  get keys(): tf.Tensor2D {
    return this.ring.value;
  }

  /** Row of the oldest key: where the next batch goes. Read out of the engine. */
  get pointer(): number {
    return this.oldest.value.dataSync()[0]!;
  }

  /** Which image of the training set each key is of, [K], for analysis; -1 where that is not known. Read out of the engine. */
  get images(): Int32Array {
    return this.keyImages.value.dataSync<"int32">();
  }

  /** What a checkpoint holds of it. */
  get buffers(): readonly Variable[] {
    return [this.ring, this.oldest, this.keyImages] as readonly Variable[];
  }

  /** How many keys it holds: K. */
  get size(): number {
    return this.ring.shape[0];
  }

  /**
   * Overwrites the oldest keys with a new batch.
   *
   * @param keys - [N, C], unit vectors, without gradient; N must divide K
   * @param images - which image each key is of, int32 [N]
   * @throws InputError if N does not divide K
   */
  replaceOldest(keys: tf.Tensor2D, images?: tf.Tensor1D): void {
    const [count] = keys.shape;
    assertQueueFits(this.size, count);
    const [ring, nextImages, oldest] = tf.tidy(() => {
      const rows = tf.add(tf.range(0, count, 1, "int32"), this.oldest.value).reshape([count, 1]);
      const whose = images ?? tf.fill([count], -1, "int32");
      return [
        runKernel("TensorScatterUpdate", scatter("float32"), [this.ring.value, rows, keys]) as tf.Tensor2D,
        runKernel("TensorScatterUpdate", scatter("int32"), [this.keyImages.value, rows, whose]) as tf.Tensor1D,
        tf.mod<tf.Tensor1D>(tf.add(this.oldest.value, tf.scalar(count, "int32")), tf.scalar(this.size, "int32")),
      ] as const;
    });
    this.ring.assign(ring);
    this.keyImages.assign(nextImages);
    this.oldest.assign(oldest);
  }

  /**
   * Checks values that come from a file.
   *
   * @throws InputError if no batch starts at the pointer
   */
  assertWholeBatches(batchSize: number): void {
    const { pointer } = this;
    if (pointer >= 0 && pointer < this.size && pointer % batchSize === 0) return;
    throw new InputError(`its queue has no batch that starts at row ${pointer}`);
  }

  dispose(): void {
    this.buffers.forEach((variable) => variable.dispose());
  }
}

function scatter(dtype: "float32" | "int32"): Attributes {
  return { T: { dtype }, Tindices: { dtype: "int32" } };
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
