import type { DetectionRecipe } from "../../detection/detection-recipe";
import type { TextRow } from "../../display/table";

/** What two recipes of detectors differ in most, one beside the other; the paper's own is a preset of the kit too. */
export function recipeRows(here: DetectionRecipe, paper: DetectionRecipe): TextRow[] {
  return Object.entries(values).map(([value, of]) => ({ value, here: of(here), paper: of(paper) }));
}

const values: Readonly<Record<string, (recipe: DetectionRecipe) => string>> = {
  backbone: ({ detector: { backbone } }) => `${backbone.architecture}, width ${backbone.width}`,
  "shorter side in training": ({ images }) => pixels(images.trainShortest),
  "lengths of anchors": ({ detector }) => pixels(detector.anchorSizes),
  "regions per image": ({ detector }) => whole(detector.roisPerImage),
  "batch size": ({ batchSize }) => whole(batchSize),
  "learning rate": ({ learningRate }) => String(learningRate),
  iterations: ({ schedule }) => whole(schedule.iterations),
  "learning rate divided by 10 at": ({ schedule }) => schedule.milestones.map(whole).join("; "),
};

function pixels(lengths: readonly number[]): string {
  return lengths.length > 3 ? `${lengths[0]} to ${lengths.at(-1)} px` : `${lengths.join(", ")} px`;
}

function whole(value: number): string {
  return value.toLocaleString("en");
}
