import { augmentationPolicies } from "../data/augmentation-policy";
import { batchIndices, drawViews } from "../data/batches";
import type { ImageData } from "../data/image-set";
import { randomStream } from "../engine/random";
import type { Batch, Method } from "../methods/method";
import type { AnyRecipe } from "./recipe";

/** Which batch of a training. */
export interface BatchOfTraining {
  readonly seed: number;
  /** Steps before it. */
  readonly step: number;
  /** What the method asks for. */
  readonly views: Method["views"];
}

/** The batch of one step of a training: a function of seed and step alone. */
export function drawBatch(
  data: ImageData,
  { batchSize, augmentation }: Pick<AnyRecipe, "batchSize" | "augmentation">,
  { seed, step, views }: BatchOfTraining,
): Batch {
  const indices = batchIndices(data.train, batchSize, seed, step);
  const { all, one } = drawViews(data, indices, { policy: augmentationPolicies[augmentation], seed, step, views });
  return {
    size: batchSize,
    indices,
    labels: indices.map((index) => data.train.labels[index]!),
    views: all,
    view: one,
    random: (purpose) => randomStream(seed, purpose, step),
  };
}
