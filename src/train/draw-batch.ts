import type { AugmentationPolicy } from "../data/augmentation-policy";
import { batchIndices, lazyViews } from "../data/batches";
import type { ImageData } from "../data/image-set";
import { randomStream } from "../engine/random";
import type { Batch } from "../methods/method";

/** The batch of one step of a training: a function of seed and step alone. */
export function drawBatch(
  data: ImageData,
  batchSize: number,
  policy: AugmentationPolicy,
  seed: number,
  step: number,
): Batch {
  const indices = batchIndices(data.train, batchSize, seed, step);
  const { both, one } = lazyViews(data, indices, policy, seed, step);
  return {
    size: batchSize,
    indices,
    labels: indices.map((index) => data.train.labels[index]!),
    views: both,
    view: one,
    random: (purpose) => randomStream(seed, purpose, step),
  };
}
