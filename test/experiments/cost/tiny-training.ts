import { paperLinearRecipe } from "../../../src/evaluate/linear-recipe";
import type { PlannedTraining } from "../../../src/experiments/cost/planned-training";
import { defaultMethod, methodRecipe } from "../../../src/recipes/method-recipes";
import { presetNamed } from "../../../src/recipes/presets";
import { parseRecipe, type MethodKind, type Recipe } from "../../../src/train/recipe";
import { tinyDetection } from "../../detection/tiny-detection";

/** A method of preset smoke, smaller still, on a data set of 100 images that is not there. */
export function tinyPretraining(kind: MethodKind, changes: Partial<Recipe> = {}): PlannedTraining {
  const recipe = methodRecipe(presetNamed("smoke"), defaultMethod(presetNamed("smoke"), kind));
  const encoder = { ...recipe.encoder, width: 2 };
  return {
    task: "pre-training",
    recipe: parseRecipe({ ...recipe, batchSize: 8, bnGroups: 2, encoder, ...changes }),
    set: { images: 100, classes: 3 },
  };
}

/** The paper's linear classifier on a smaller network and images. */
export function tinyLinear(): PlannedTraining {
  return {
    task: "linear classification",
    recipe: { ...paperLinearRecipe, imageSize: 16, batchSize: 8 },
    encoder: { ...presetNamed("smoke").base.encoder, width: 2 },
    set: { images: 100, classes: 3 },
  };
}

/** The tiny detector, with masks, on a data set of 100 images that is not there. */
export function tinyDetector(): PlannedTraining {
  const recipe = tinyDetection();
  return {
    task: "detection",
    recipe: tinyDetection({ detector: { ...recipe.detector, masks: true } }),
    set: { images: 100, classes: 3 },
  };
}
