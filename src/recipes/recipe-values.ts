import { augmentationPolicies } from "../data/augmentation-policy";
import type { Recipe } from "../train/recipe";
import { mocoV1Recipe, paperRecipes } from "./paper-recipes";

/** One value of a recipe, and where it comes from. */
export interface RecipeValue {
  /** For example "method.queueSize". */
  readonly field: string;
  readonly value: unknown;
  readonly source: string;
}

const official = "facebookresearch/moco@87e36d3";

/** Where the values of MoCo v1 come from; a recipe of the paper that has the same value has it from there. */
const mocoSources: Readonly<Record<string, string>> = {
  dataset: "paper, section 4: IN-1M, here a folder with train and val",
  imageSize: `${official}, main_moco.py: RandomResizedCrop(224)`,
  "encoder.architecture": `paper, section 4.1; ${official}, main_moco.py: --arch resnet50, the default`,
  "encoder.width": "He et al., 2016: the standard network",
  "encoder.stem": "He et al., 2016: the standard network",
  "encoder.head": `${official}, moco/builder.py: one linear layer without --mlp`,
  "encoder.dimension": `paper, section 3.3; ${official}, main_moco.py: --moco-dim 128, the default`,
  batchSize: `paper, section 3.3; ${official}, main_moco.py: --batch-size 256, the default`,
  bnGroups: "paper, section 3.3: 8 GPUs, so 32 images are normalized together",
  "optimizer.kind": `paper, section 3.3; ${official}, main_moco.py: torch.optim.SGD`,
  "optimizer.momentum": `paper, section 3.3; ${official}, main_moco.py: --momentum 0.9, the default`,
  "optimizer.weightDecay": `paper, section 3.3; ${official}, main_moco.py: --weight-decay 1e-4, the default`,
  learningRate: `paper, section 3.3; ${official}, main_moco.py: --lr 0.03, the default`,
  epochs: `paper, section 3.3; ${official}, main_moco.py: --epochs 200, the default`,
  "schedule.kind": `paper, section 3.3; ${official}, main_moco.py without --cos`,
  "schedule.milestones": `paper, section 3.3; ${official}, main_moco.py: --schedule 120 160, the default`,
  "schedule.factor": `paper, section 3.3; ${official}, main_moco.py: 0.1 at each milestone`,
  "method.queueSize": `paper, section 4.1; ${official}, main_moco.py: --moco-k 65536, the default`,
  "method.momentum": `paper, section 4.1; ${official}, main_moco.py: --moco-m 0.999, the default`,
  "method.temperature": `paper, section 3.3; ${official}, main_moco.py: --moco-t 0.07, the default`,
  "method.shuffleBN": `paper, section 3.3; ${official}, moco/builder.py`,
  "method.symmetric": "paper, algorithm 1: the first view is the query, the second the key",
};

/** What was set on top of a recipe. */
export interface SetValues {
  /** The fields, as "method.queueSize", or "schedule" for all of it. */
  readonly fields: readonly string[];
  /** What the recipe said of itself before. */
  readonly source: string;
}

/**
 * Every value of a recipe with its source: that it was set on the command line; its own line of the official code or the paper where
 * it is MoCo v1's; else what the recipe says of itself.
 */
export function recipeValues(
  recipe: Recipe,
  { fields, source }: SetValues = { fields: [], source: recipe.source },
): readonly RecipeValue[] {
  const { name, source: _source, ...rest } = recipe;
  const ofPaper = paperRecipes.some((one) => one.name === name);
  const v1 = new Map(leaves(mocoV1Recipe).map(([field, value]) => [field, JSON.stringify(value)]));
  const isSet = (field: string) => fields.some((one) => one === field || field.startsWith(`${one}.`));
  const sourceOf = (field: string, value: unknown): string => {
    if (isSet(field)) return "set on the command line";
    if (field === "augmentation") return augmentationPolicies[recipe.augmentation].source;
    const asMoco = ofPaper && v1.get(field) === JSON.stringify(value) ? mocoSources[field] : undefined;
    return asMoco ?? source;
  };
  return leaves(rest).map(([field, value]) => ({ field, value, source: sourceOf(field, value) }));
}

/** The values of nested objects by their paths; a list is one value. */
function leaves(value: object, path = ""): [field: string, value: unknown][] {
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) => {
    const field = path + key;
    return typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? leaves(inner, `${field}.`)
      : [[field, inner] as [string, unknown]];
  });
}
