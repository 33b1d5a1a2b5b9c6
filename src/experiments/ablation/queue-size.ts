import type { Ablation, Published } from "./ablation";
import { ablationRecipe } from "../../recipes/method-recipes";
import type { Preset } from "../../recipes/presets";

/** Figure 3, curve "MoCo": ImageNet linear top-1 of ResNet-50 after 200 epochs, m = 0.999, batch 256. */
export const publishedQueueSizes: ReadonlyMap<number, number> = new Map([
  [256, 54.7],
  [512, 56.4],
  [1024, 57.5],
  [4096, 59.0],
  [16384, 60.4],
  [65536, 60.6],
]);

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
    publishedOnly: [...publishedQueueSizes.keys()]
      .filter((queueSize) => !shown.has(queueSize))
      .map((queueSize) => ({
        label: `K = ${queueSize.toLocaleString("en")}`,
        published: publishedAt(queueSize),
        claimed: "rises with K",
        reason: `${queueSize / 256} batches long: not run by this preset`,
      })),
  };
}

function publishedAt(queueSize: number): Published {
  return { value: publishedQueueSizes.get(queueSize)!, source: "Figure 3" };
}
