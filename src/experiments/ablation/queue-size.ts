import { figure3 } from "../../paper/published-ablations";
import type { Ablation } from "./ablation";
import type { Published } from "../../paper/published-ablations";
import { ablationRecipe } from "../../recipes/method-recipes";
import type { Preset } from "../../recipes/presets";

/**
 * The ablation of the queue's size K (Figure 3).
 *
 * The data set is 560 times smaller than ImageNet, so the paper's K would not fit in it. Rows are set beside the K of the
 * paper that holds as many batches: K = 64 of batch 64 is one batch, as K = 256 of batch 256 is.
 */
export function queueSizeAblation(preset: Preset): Ablation {
  const momentum = preset.queueAblationMomentum;
  const shown = new Set(preset.ablations.queueSizes.map(({ paper }) => paper));
  return {
    id: "queue-size",
    title: "Size of the queue",
    paper: "Figure 3 and section 4.1",
    claims: ["S5", "S8"],
    axis: { name: "K", values: preset.ablations.queueSizes.map(({ queueSize }) => queueSize), logarithmic: true },
    cells: preset.ablations.queueSizes.map(({ queueSize, paper }) => ({
      label: `K = ${queueSize}`,
      recipe: ablationRecipe(preset, queueSize, momentum),
      published: paper === undefined ? undefined : publishedAt(paper),
      publishedAt: paper === undefined ? undefined : `K = ${paper.toLocaleString("en")}`,
      claimed: "rises with K",
    })),
    referenceLabel: `K = ${preset.ablations.queueSizes[0]!.queueSize}`,
    publishedOnly: [...figure3.moco.keys()]
      .filter((queueSize) => !shown.has(queueSize))
      .map((queueSize) => ({
        label: `K = ${queueSize.toLocaleString("en")}`,
        published: publishedAt(queueSize),
        claimed: "rises with K",
        reason: `${queueSize / 256} batches long: not run by this preset`,
      })),
    publishedCurves: [{ name: "MoCo", points: figure3.moco }],
  };
}

function publishedAt(queueSize: number): Published {
  return { value: figure3.moco.get(queueSize)!, source: "Figure 3" };
}
