import type { ImageData } from "../data/image-set";
import { InputError } from "../errors";
import type { Recipe } from "../train/recipe";

/** Whether kNN can be read on a data set: images without classes have none to vote for. */
export function hasClasses({ train }: Pick<ImageData, "train">): boolean {
  return train.classes.length > 0;
}

/**
 * Checks that a training and its readings fit the data set, before anything of a run is made. Says which flag to change.
 *
 * @param k - neighbors of the kNN readings
 * @throws InputError if there are fewer images than a batch or k, or no classes to be supervised by
 */
export function assertEnoughImages({ method, batchSize }: Recipe, data: Pick<ImageData, "train">, k: number): void {
  const { name, labels } = data.train;
  if (labels.length < batchSize) {
    throw new InputError(
      `Cannot train on ${name}: a batch of ${batchSize} needs as many images; choose a smaller --batch-size, ` +
        `current count of images is ${labels.length}`,
    );
  }
  if (!hasClasses(data)) {
    if (method.kind !== "supervised") return;
    throw new InputError(
      `Cannot train supervised on ${name}: it must have folders of two classes or more, current count is 0; ` +
        "choose another --method",
    );
  }
  if (labels.length < k) {
    throw new InputError(
      `Cannot read kNN on ${name}: ${k} neighbors need as many images; choose a smaller --knn-k, current count of images ` +
        `is ${labels.length}`,
    );
  }
}
