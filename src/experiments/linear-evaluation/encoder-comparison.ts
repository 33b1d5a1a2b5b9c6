import { publishedEncoders } from "../../paper/published-methods";
import type { ResNetConfig } from "../../nn/resnet-layout";
import type { Recipe } from "../../train/recipe";
import type { Ablation, Cell } from "../ablation/ablation";
import { defaultMethod, methodRecipe } from "../../recipes/method-recipes";
import type { Preset, PresetName } from "../../recipes/presets";
import { halfOf, trainedFor } from "../ablation/training-length";

/** An encoder that is trained here, with the one of Table 1 that differs from ResNet-50 in the same way. */
interface TrainedEncoder extends Pick<ResNetConfig, "architecture" | "width"> {
  readonly paper: "R50" | "RX50" | "R50w2×" | undefined;
}

const narrowCopies: readonly TrainedEncoder[] = [
  { architecture: "resnet50", width: 8, paper: "R50" },
  { architecture: "resnext50-32x8d", width: 8, paper: "RX50" },
  { architecture: "resnet50", width: 16, paper: "R50w2×" },
  { architecture: "resnet18", width: 16, paper: undefined },
];

/** What each preset trains; the ResNet-50 is what the others are compared with. Width 8 is the least of a ResNeXt. */
const trained: Readonly<Record<PresetName, readonly TrainedEncoder[]>> = {
  smoke: [
    { architecture: "resnet50", width: 4, paper: "R50" },
    { architecture: "resnet18", width: 8, paper: undefined },
  ],
  quick: narrowCopies,
  small: narrowCopies,
};

/**
 * MoCo with larger encoders (Table 1): narrow copies here, all by the same factor, so that they stand to each other as
 * the paper's do; and the preset's own. All are trained for half of the preset's epochs, because the deep ones take two to
 * three times as long.
 */
export function encoderComparison(preset: Preset): Ablation {
  const cells = trained[preset.name].map((encoder): Cell => {
    const paper = publishedEncoders.find(({ name }) => name === encoder.paper);
    return {
      label: encoderTitle(encoder),
      recipe: encoderRecipe(preset, encoder),
      published: paper && { value: paper.accuracy, source: "Table 1" },
      publishedAt: paper && `${paper.name}, ${paper.parameters} M`,
      claimed: encoder.paper === "R50" ? "60.6" : undefined,
    };
  });
  return {
    id: "encoders",
    title: "Encoders",
    paper: "Table 1",
    claims: ["S1"],
    axis: { name: "encoder", values: [], logarithmic: false },
    cells,
    referenceLabel: cells[0]!.label,
    publishedOnly: publishedEncoders
      .filter(({ name }) => !trained[preset.name].some(({ paper }) => paper === name))
      .map(({ name, parameters, accuracy }) => ({
        label: `MoCo, ${name}`,
        published: { value: accuracy, source: "Table 1" },
        parameters,
        claimed: undefined,
        reason: "even a narrow copy of it takes longer than this preset has",
      })),
  };
}

/** "ResNet-50, width 8". */
export function encoderTitle({ architecture, width }: Pick<ResNetConfig, "architecture" | "width">): string {
  return `${titles[architecture]}, width ${width}`;
}

const titles: Readonly<Record<ResNetConfig["architecture"], string>> = {
  resnet18: "ResNet-18",
  resnet34: "ResNet-34",
  resnet50: "ResNet-50",
  "resnext50-32x8d": "ResNeXt-50 32x8d",
};

function encoderRecipe(preset: Preset, { architecture, width }: TrainedEncoder): Recipe {
  const recipe = methodRecipe(preset, defaultMethod(preset, "moco"));
  const { encoder } = recipe;
  const own = architecture === encoder.architecture && width === encoder.width;
  const named = own ? recipe : { ...recipe, name: `${recipe.name}-${architecture}-w${width}` };
  return trainedFor({ ...named, encoder: { ...encoder, architecture, width } }, halfOf(recipe.epochs));
}
