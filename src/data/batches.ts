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

/** One random view of each image of a batch; what is left out is as for the others. */
export interface ViewRequest {
  readonly policy?: AugmentationPolicy;
  /** Side in pixels. */
  readonly size?: number;
}

/** How the views of a batch are drawn. They are a function of these values alone. */
export interface DrawOptions {
  readonly policy: AugmentationPolicy;
  readonly seed: number;
  readonly step: number;
  /** One for each view. @default two views, a query and a key */
  readonly views?: readonly ViewRequest[];
}

/** The views of a batch, drawn now and made when they are asked for. */
export interface DrawnViews {
  /** All of them, normalized, [N, size, size, 3] each; the caller disposes them. */
  readonly all: () => tf.Tensor4D[];
  /**
   * One of them, the same each time; the caller disposes it.
   *
   * @param which - from 0
   * @param positions - which images of the batch, by default all
   */
  readonly one: (which: number, positions?: Int32Array) => tf.Tensor4D;
}

/** Draws random views of some images of the training set. */
export function drawViews(
  { train, mean, std }: Pick<ImageData, "train" | "mean" | "std">,
  indices: Int32Array,
  { policy, seed, step, views = [{}, {}] }: DrawOptions,
): DrawnViews {
  const count = indices.length;
  const random = randomStream(seed, "augment", step);
  const alike = groupAlike(views, policy, train.size).map((group) => ({
    ...group,
    parameters: drawAugmentation(group.policy, group.count * count, train.size, random),
  }));
  return {
    all: () =>
      tf.tidy(() => {
        const images = imageTensor(train, indices);
        // Views that are made alike in one call: that is faster.
        return alike.flatMap(({ count: copies, parameters, size }) => {
          const repeated = copies === 1 ? images : tf.concat4d(Array<tf.Tensor4D>(copies).fill(images), 0);
          const made = normalize(augment(repeated, parameters, size), mean, std);
          return copies === 1 ? [made] : tf.split<tf.Tensor4D>(made, copies);
        });
      }),
    one: (which, positions = Int32Array.from(indices.keys())) =>
      tf.tidy(() => {
        const { first, parameters, size } = alike.filter((group) => group.first <= which).at(-1)!;
        const rows = positions.map((position) => (which - first) * count + position);
        const images = imageTensor(
          train,
          positions.map((position) => indices[position]!),
        );
        return normalize(augment(images, selectAugmentation(parameters, rows), size), mean, std);
      }),
  };
}

/** Neighboring views of one policy and size. */
interface AlikeViews {
  /** Number of the first of them. */
  readonly first: number;
  readonly count: number;
  readonly policy: AugmentationPolicy;
  readonly size: number;
}

function groupAlike(views: readonly ViewRequest[], policy: AugmentationPolicy, size: number): AlikeViews[] {
  const groups: AlikeViews[] = [];
  views.forEach((view, first) => {
    const whole = { policy, size, ...view };
    const last = groups.at(-1);
    if (last?.policy === whole.policy && last.size === whole.size) {
      groups[groups.length - 1] = { ...last, count: last.count + 1 };
    } else groups.push({ ...whole, first, count: 1 });
  });
  return groups;
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
