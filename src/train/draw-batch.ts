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
  const { all, one, release } = drawViews(data, indices, {
    policy: augmentationPolicies[augmentation],
    seed,
    step,
    views,
  });
  return {
    size: batchSize,
    indices,
    labels: indices.map((index) => data.train.labels[index]!),
    views: all,
    view: one,
    release,
    random: (purpose) => randomStream(seed, purpose, step),
  };
}

/** Bytes of views above which only one batch of them is made at a time. */
const bytesOfTwoBatches = 2 ** 31;

/**
 * The batches of a training, each drawn one step before it is asked for: images in files are decoded while the step before runs.
 */
export class Batches {
  private ahead: { readonly step: number; readonly batch: Batch } | undefined;
  private readonly looksAhead: boolean;

  /** @param totalSteps - none is drawn after the last one */
  constructor(
    private readonly data: ImageData,
    private readonly recipe: Pick<AnyRecipe, "batchSize" | "augmentation">,
    private readonly options: Omit<BatchOfTraining, "step"> & { readonly totalSteps: number },
  ) {
    const { size } = data.train;
    const bytes = options.views.reduce((sum, view) => sum + 4 * 3 * (view.size ?? size) ** 2 * recipe.batchSize, 0);
    this.looksAhead = 2 * bytes <= bytesOfTwoBatches;
  }

  /**
   * The batch of one step; the next one begins to be drawn.
   *
   * @param step - steps before it
   */
  at(step: number): Batch {
    const batch = this.ahead?.step === step ? this.ahead.batch : this.draw(step);
    this.ahead = undefined;
    if (this.looksAhead && step + 1 < this.options.totalSteps)
      this.ahead = { step: step + 1, batch: this.draw(step + 1) };
    return batch;
  }

  /** Gives back the batch that was drawn for nothing. */
  dispose(): void {
    this.ahead?.batch.release?.();
    this.ahead = undefined;
  }

  private draw(step: number): Batch {
    const { seed, views } = this.options;
    return drawBatch(this.data, this.recipe, { seed, step, views });
  }
}
