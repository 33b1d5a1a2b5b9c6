import { randomStream } from "../engine/random";
import { tf } from "../engine/tf";
import { augment, drawAugmentation, normalize, selectAugmentation } from "./augment";
import type { AugmentationPolicy } from "./augmentation-policy";
import type { ImageData, ImageSet } from "./image-set";

/** How many whole batches an epoch has: the rest of the images is dropped, as the official code does. */
export function batchesPerEpoch(set: ImageSet, batchSize: number): number {
  return Math.floor(set.labels.length / batchSize);
}

/** Indices of the images of one batch. Each epoch has an order of its own, a function of seed and epoch alone. */
export function batchIndices(set: ImageSet, batchSize: number, seed: number, step: number): Int32Array {
  const perEpoch = batchesPerEpoch(set, batchSize);
  const order = randomStream(seed, "shuffle", Math.floor(step / perEpoch)).permutation(set.labels.length);
  const first = (step % perEpoch) * batchSize;
  return order.slice(first, first + batchSize);
}

/** Two random views of the same images, [N, size, size, 3] each, normalized. The caller disposes them. */
export interface Views {
  readonly query: tf.Tensor4D;
  readonly key: tf.Tensor4D;
}

/** Draws and makes the two views of a batch; both come from the same distribution. */
export function drawViews(
  data: ImageData,
  indices: Int32Array,
  policy: AugmentationPolicy,
  seed: number,
  step: number,
): Views {
  return lazyViews(data, indices, policy, seed, step).both();
}

/** The two views of a batch, drawn now and made when they are asked for. */
export interface LazyViews {
  readonly both: () => Views;
  /** One of the two views of some images, by default all, [positions, size, size, 3]; the caller disposes it. */
  readonly one: (which: 0 | 1, positions?: Int32Array) => tf.Tensor4D;
}

/** As {@link drawViews}, for a batch whose views do not have to be in memory at the same time. */
export function lazyViews(
  data: ImageData,
  indices: Int32Array,
  policy: AugmentationPolicy,
  seed: number,
  step: number,
): LazyViews {
  const { train, mean, std } = data;
  const count = indices.length;
  const parameters = drawAugmentation(policy, 2 * count, train.size, randomStream(seed, "augment", step));
  return {
    both: () =>
      tf.tidy(() => {
        const images = imageTensor(train, indices);
        const views = augment(tf.concat4d([images, images], 0), parameters, train.size);
        const [query, key] = tf.split<tf.Tensor4D>(normalize(views, mean, std), 2);
        return { query: query!, key: key! };
      }),
    one: (which, positions = Int32Array.from(indices.keys())) =>
      tf.tidy(() => {
        const rows = positions.map((position) => which * count + position);
        const images = imageTensor(
          train,
          positions.map((position) => indices[position]!),
        );
        return normalize(augment(images, selectAugmentation(parameters, rows), train.size), mean, std);
      }),
  };
}

/**
 * Images of a set as a tensor.
 *
 * @returns [indices.length, size, size, 3], float32 in 0 to 1
 */
export function imageTensor({ pixels, size }: ImageSet, indices: Int32Array): tf.Tensor4D {
  const length = size * size * 3;
  const values = new Float32Array(indices.length * length);
  indices.forEach((index, position) => {
    const start = index * length;
    const target = position * length;
    for (let offset = 0; offset < length; offset++) values[target + offset] = pixels[start + offset]! / 255;
  });
  return tf.tensor4d(values, [indices.length, size, size, 3]);
}
