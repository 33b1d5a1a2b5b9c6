import { figure3 } from "../../paper/published-ablations";
import { publishedBeside, publishedEncoders, publishedMethods } from "../../paper/published-methods";
import type { MethodKind } from "../../train/recipe";
import type { Ablation, PublishedOnlyRow } from "../ablation/ablation";
import type { Published } from "../../paper/published-ablations";
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
    published: { value: publishedBeside.supervised, source: "MoCo v2, Table 1" },
    publishedAt: "MoCo v2, Table 1",
    claimed: undefined,
  },
  {
    kind: "moco",
    label: "MoCo",
    published: { value: publishedEncoders[0]!.accuracy, source: "Table 1" },
    publishedAt: "R50, K = 65,536",
    claimed: "60.6",
  },
  {
    kind: "memory-bank",
    label: "memory bank",
    published: { value: figure3["memory-bank"].get(4096)!, source: "Figure 3" },
    publishedAt: "Figure 3, K = 4,096",
    claimed: undefined,
  },
  {
    kind: "end-to-end",
    label: "end-to-end",
    published: { value: figure3["end-to-end"].get(256)!, source: "Figure 3" },
    publishedAt: "Figure 3, K = 256",
    claimed: undefined,
  },
  {
    kind: "simclr",
    label: "SimCLR",
    published: { value: publishedBeside.simclr, source: "MoCo v2, Table 2" },
    publishedAt: "MoCo v2, Table 2: batch 256, 200 epochs",
    claimed: "69.3, 9 points above MoCo",
  },
];

/** Minutes that notebook 02 takes on two cores, one seed, where nothing was trained before: shown before it starts. */
export const linearEvaluationMinutes: Readonly<Record<PresetName, number>> = { smoke: 1, quick: 10, small: 40 };

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
