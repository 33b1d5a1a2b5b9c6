import { paperLinearRecipe, parseLinearRecipe, type LinearRecipe } from "../evaluate/linear-recipe";
import { pretrainingSet } from "../experiments/cost/training-sets";
import type { TrainingSetFacts } from "../methods/method";
import { withSettings, withSettingsSaid, type Setting } from "./recipe-flags";

/**
 * The paper's recipe of a linear classifier on other images, with settings on top.
 *
 * @param set - what it is trained on: on ImageNet, wherever that is, it keeps its name
 * @throws InputError naming every field that is wrong
 */
export function linearRecipeFrom(
  of: Pick<LinearRecipe, "dataset" | "imageSize" | "part">,
  set: TrainingSetFacts,
  settings: readonly Setting[],
): LinearRecipe {
  const imageNet = pretrainingSet(paperLinearRecipe);
  const isImageNet = set.images === imageNet?.images && set.classes === imageNet.classes;
  const { name, source } = paperLinearRecipe;
  const original = { ...paperLinearRecipe, ...of, name: isImageNet ? name : "linear" };
  const changed = settings.length === 0 ? original : { ...original, source: withSettingsSaid(source, settings) };
  return parseLinearRecipe(withSettings(changed, settings));
}
