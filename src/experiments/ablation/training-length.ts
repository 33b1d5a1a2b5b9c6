import { publishedLengths } from "../../paper/published-ablations";
import type { Recipe } from "../../train/recipe";
import type { Ablation } from "./ablation";
import type { Published } from "../../paper/published-ablations";
import { defaultMethod, methodRecipe } from "../../recipes/method-recipes";
import type { Preset } from "../../recipes/presets";

/** Parts of a preset's epochs for which MoCo is trained. */
const shares = [1 / 8, 1 / 4, 1 / 2, 1] as const;

/** The published length that a part of a preset's is set beside: 200 epochs are a quarter of 800. */
const paperEpochs = (share: number) => 800 * share;

/**
 * MoCo by the length of its training. Each row is a training of its own, with a cosine over its own length: the first
 * epochs of a longer one would end at a high rate.
 */
export function trainingLengths(preset: Preset): Ablation {
  const recipe = methodRecipe(preset, defaultMethod(preset, "moco"));
  const lengths = [...lengthsOf(recipe.epochs)];
  const shown = new Set(lengths.map(([, share]) => paperEpochs(share)));
  return {
    id: "training-length",
    title: "Length of training",
    paper: "MoCo v2, Table 1",
    claims: ["S2"],
    axis: { name: "epochs", values: lengths.map(([epochs]) => epochs), logarithmic: true },
    cells: lengths.map(([epochs, share]) => ({
      label: epochsLabel(epochs),
      recipe: trainedFor(recipe, epochs),
      published: publishedAt(paperEpochs(share)),
      publishedAt: publishedLengths.has(paperEpochs(share)) ? `MoCo v2, ${paperEpochs(share)} epochs` : undefined,
      claimed: undefined,
    })),
    referenceLabel: epochsLabel(recipe.epochs),
    publishedOnly: [...publishedLengths].flatMap(([epochs, value]) =>
      shown.has(epochs)
        ? []
        : [
            {
              label: `MoCo v2, ${epochs} epochs`,
              published: { value, source: "MoCo v2, Table 1" },
              claimed: undefined,
              reason: `its part of the longest training is less than an epoch of this preset`,
            },
          ],
    ),
  };
}

/** The recipe with another number of epochs, and a schedule over them. */
export function trainedFor(recipe: Recipe, epochs: number): Recipe {
  return epochs === recipe.epochs ? recipe : { ...recipe, name: `${recipe.name}-${epochs}epochs`, epochs };
}

/** Half of a preset's epochs, rounded to whole ones. */
export function halfOf(epochs: number): number {
  return wholeEpochs(epochs, 1 / 2);
}

/** Epochs with the part of the longest training that they are; where parts round to the same, the largest. */
function lengthsOf(epochs: number): ReadonlyMap<number, number> {
  return new Map(shares.map((share) => [wholeEpochs(epochs, share), share]));
}

function wholeEpochs(epochs: number, share: number): number {
  return Math.max(1, Math.round(share * epochs));
}

function epochsLabel(epochs: number): string {
  return `${epochs} epoch${epochs === 1 ? "" : "s"}`;
}

function publishedAt(epochs: number): Published | undefined {
  const value = publishedLengths.get(epochs);
  return value === undefined ? undefined : { value, source: "MoCo v2, Table 1" };
}
