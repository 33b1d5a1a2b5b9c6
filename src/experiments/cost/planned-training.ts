import { detectionPreset, detectionPresetNames } from "../../recipes/detection-presets";
import { parseDetectionRecipe, type DetectionRecipe } from "../../detection/detection-recipe";
import { InputError } from "../../errors";
import { paperLinearRecipe, parseLinearRecipe, type LinearRecipe } from "../../evaluate/linear-recipe";
import type { EncoderConfig } from "../../nn/encoder";
import { mocoV1Recipe, paperRecipes } from "../../recipes/paper-recipes";
import { parseRecipe, type Recipe } from "../../train/recipe";
import type { TrainingSetFacts } from "../../methods/method";
import { detectionSet, pretrainingSet } from "./training-sets";

/** A recipe, with what is known of its training set when the set is not there. Plain data. */
export type PlannedTraining =
  | { readonly task: "pre-training"; readonly recipe: Recipe; readonly set: TrainingSetFacts }
  | {
      readonly task: "linear classification";
      readonly recipe: LinearRecipe;
      /** The frozen network. */
      readonly encoder: EncoderConfig;
      readonly set: TrainingSetFacts;
    }
  | { readonly task: "detection"; readonly recipe: DetectionRecipe; readonly set: TrainingSetFacts };

/**
 * Every training of the paper that the kit has a recipe for, validated: those whose training set is one of the paper's.
 *
 * @throws InputError if a recipe is not valid
 */
export function paperTrainings(): PlannedTraining[] {
  const pretrainings = paperRecipes.flatMap((value): PlannedTraining[] => {
    const recipe = parseRecipe(value);
    const set = pretrainingSet(recipe);
    return set === undefined ? [] : [{ task: "pre-training", recipe, set }];
  });
  const recipe = parseLinearRecipe(paperLinearRecipe);
  const set = pretrainingSet(recipe)!;
  const linear: PlannedTraining = { task: "linear classification", recipe, encoder: mocoV1Recipe.encoder, set };
  const detectors = detectionPresetNames.flatMap((name): PlannedTraining[] => {
    const recipe = parseDetectionRecipe(detectionPreset(name));
    const set = detectionSet(recipe.dataset);
    return set === undefined ? [] : [{ task: "detection", recipe, set }];
  });
  return [...pretrainings, linear, ...detectors];
}

/**
 * The trainings of the paper with some names, in that order; all of them for no name.
 *
 * @throws InputError listing the names there are
 */
export function trainingsNamed(names: readonly string[]): PlannedTraining[] {
  const trainings = paperTrainings();
  if (names.length === 0) return trainings;
  return [...new Set(names)].map((name) => {
    const training = trainings.find(({ recipe }) => recipe.name === name);
    if (training === undefined) {
      throw new InputError(
        `Cannot estimate the recipe: choose of ${trainings.map(({ recipe }) => recipe.name).join(", ")}, ` +
          `current value is "${name}"`,
      );
    }
    return training;
  });
}
