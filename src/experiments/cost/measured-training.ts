import { parseDetectionRecipe } from "../../detection/detection-recipe";
import { InputError } from "../../errors";
import { parseLinearRecipe } from "../../evaluate/linear-recipe";
import { parseRecipe, type Recipe } from "../../train/recipe";
import type { PlannedTraining } from "./planned-training";

/**
 * The training at another batch: all that a step costs is as in the recipe but for the number of images. Groups of batch
 * normalization keep their size; where the gradient cache takes chunks, a chunk is as many views as the batch has images,
 * so that what is in memory at a time grows with the batch.
 *
 * @throws InputError if the recipe cannot have this batch
 */
export function withBatch(training: PlannedTraining, batchSize: number): PlannedTraining {
  if (batchSize === training.recipe.batchSize) return training;
  if (training.task === "detection") {
    return { ...training, recipe: parseDetectionRecipe({ ...training.recipe, batchSize }) };
  }
  if (training.task === "linear classification") {
    return { ...training, recipe: parseLinearRecipe({ ...training.recipe, batchSize }) };
  }
  const { recipe } = training;
  const { method } = recipe;
  const chunkSize = chunkOf(recipe);
  if (chunkSize === undefined) {
    const group = recipe.batchSize / recipe.bnGroups;
    const bnGroups = Math.max(1, batchSize / group);
    if (!Number.isInteger(bnGroups)) {
      throw new InputError(
        `Cannot measure ${recipe.name}: the batch must be a multiple of the ${group} images of a group of batch ` +
          `normalization, or smaller, current value is ${batchSize}`,
      );
    }
    return { ...training, recipe: parseRecipe({ ...recipe, batchSize, bnGroups }) };
  }
  const chunks = recipe.batchSize / chunkSize;
  return {
    ...training,
    recipe: parseRecipe({
      ...recipe,
      method: { ...method, chunkSize: batchSize },
      batchSize,
      bnGroups: recipe.bnGroups / chunks,
    }),
  };
}

/** How many images are in memory as floats at a time, a view each: the batch, or a chunk of the gradient cache. */
export function imagesInMemory(training: PlannedTraining): number {
  const chunkSize = training.task === "pre-training" ? chunkOf(training.recipe) : undefined;
  return chunkSize ?? training.recipe.batchSize;
}

/** Equal for trainings whose steps cost the same at the same batch: those that differ in length, rate and data alone. */
export function stepKey(training: PlannedTraining): string {
  const { task, set } = training;
  if (training.task === "linear classification") {
    return JSON.stringify([task, set.classes, training.recipe.imageSize, training.encoder]);
  }
  if (training.task === "detection") {
    const { recipe } = training;
    const { trainShortest, longest } = recipe.images;
    return JSON.stringify([task, set.classes, recipe.detector, Math.max(...trainShortest), longest]);
  }
  const { imageSize, encoder, method, augmentation, optimizer, batchSize, bnGroups } = training.recipe;
  return JSON.stringify([
    task,
    set,
    { imageSize, encoder, method, augmentation, optimizer, group: batchSize / bnGroups },
  ]);
}

function chunkOf({ method }: Recipe): number | undefined {
  return "chunkSize" in method ? method.chunkSize : undefined;
}
