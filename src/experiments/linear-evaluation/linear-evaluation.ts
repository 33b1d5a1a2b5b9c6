import type { MethodKind } from "../../train/recipe";
import type { Ablation, Published, PublishedOnlyRow } from "../ablation/ablation";
import { defaultMethod, methodRecipe } from "../../recipes/method-recipes";
import type { Preset, PresetName } from "../../recipes/presets";

/** A method that is trained here, with what was published of it. */
interface TrainedMethod {
  readonly kind: MethodKind;
  readonly label: string;
  readonly published: Published | undefined;
  readonly publishedAt: string | undefined;
  readonly claimed: string | undefined;
}

/** In the order of the table; MoCo is what the others are compared with. */
const trained: readonly TrainedMethod[] = [
  { kind: "random", label: "random", published: undefined, publishedAt: undefined, claimed: undefined },
  {
    kind: "supervised",
    label: "supervised",
    published: { value: 76.5, source: "MoCo v2, Table 1" },
    publishedAt: "MoCo v2, Table 1",
    claimed: undefined,
  },
  {
    kind: "moco",
    label: "MoCo",
    published: { value: 60.6, source: "Table 1" },
    publishedAt: "R50, K = 65,536",
    claimed: "60.6",
  },
  {
    kind: "memory-bank",
    label: "memory bank",
    published: { value: 56.5, source: "Figure 3" },
    publishedAt: "Figure 3, K = 4,096",
    claimed: undefined,
  },
  {
    kind: "end-to-end",
    label: "end-to-end",
    published: { value: 54.9, source: "Figure 3" },
    publishedAt: "Figure 3, K = 256",
    claimed: undefined,
  },
  {
    kind: "simclr",
    label: "SimCLR",
    published: { value: 61.9, source: "MoCo v2, Table 2" },
    publishedAt: "MoCo v2, Table 2: batch 256, 200 epochs",
    claimed: "69.3, 9 points above MoCo",
  },
];

const otherTask = "another pretext task or a generative model, which this kit does not build";
const otherContrast = "contrastive, but by other views or other parts of an image than MoCo's";
const withLabels = `${otherContrast}; its augmentation was searched with ImageNet labels`;

/** Table 1, all rows but MoCo's: method and architecture, parameters in millions, ImageNet linear top-1, why not run. */
export const publishedMethods: readonly (readonly [
  label: string,
  parameters: number,
  accuracy: number,
  reason: string,
])[] = [
  ["Exemplar, R50w3×", 211, 46.0, otherTask],
  ["RelativePosition, R50w2×", 94, 51.4, otherTask],
  ["Jigsaw, R50w2×", 94, 44.6, otherTask],
  ["Rotation, Rv50w4×", 86, 55.4, otherTask],
  ["Colorization, R101*", 28, 39.6, otherTask],
  ["DeepCluster, VGG", 15, 48.4, otherTask],
  ["BigBiGAN, R50", 24, 56.6, otherTask],
  ["BigBiGAN, Rv50w4×", 86, 61.3, otherTask],
  ["InstDisc, R50", 24, 54.0, 'the memory bank of its own paper; the row "memory bank" is MoCo\'s version of it'],
  ["LocalAgg, R50", 24, 58.8, otherContrast],
  ["CPC v1, R101*", 28, 48.7, otherContrast],
  ["CPC v2, R170* wider", 303, 65.9, otherContrast],
  ["CMC, R50 (L + ab)", 47, 64.1, withLabels],
  ["CMC, R50w2× (L + ab)", 188, 68.4, withLabels],
  ["AMDIM, small", 194, 63.5, withLabels],
  ["AMDIM, large", 626, 68.1, withLabels],
];

/** Minutes that notebook 02 takes on two cores, one seed, where nothing was trained before: shown before it starts. */
export const linearEvaluationMinutes: Readonly<Record<PresetName, number>> = { smoke: 1, quick: 10 };

/**
 * Methods by the accuracy of a linear probe (Table 1): MoCo, the mechanisms that it is compared with, SimCLR, and the two
 * ends of the scale, labels and no training at all.
 *
 * All see the preset's images as often, under its augmentation and at its rate; the supervised network is trained on
 * the labels of the same training part.
 */
export function linearEvaluation(preset: Preset): Ablation {
  return {
    id: "linear-evaluation",
    title: "Linear evaluation",
    paper: "Table 1",
    claims: ["S1", "S2"],
    axis: { name: "method", values: [], logarithmic: false },
    cells: trained.map(({ kind, ...row }) => ({ ...row, recipe: methodRecipe(preset, defaultMethod(preset, kind)) })),
    referenceLabel: "MoCo",
    publishedOnly: publishedMethods.map(([label, parameters, value, reason]): PublishedOnlyRow => ({
      label,
      published: { value, source: "Table 1" },
      parameters,
      claimed: undefined,
      reason,
    })),
  };
}
