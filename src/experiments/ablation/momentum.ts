import { publishedMomenta } from "../../paper/published-ablations";
import type { Ablation } from "./ablation";
import type { Published } from "../../paper/published-ablations";
import { ablationRecipe } from "../../recipes/method-recipes";
import type { Preset } from "../../recipes/presets";

/** What is popularly said of the two ends; the second number is that of another K (docs/claims.md, S6). */
const claimed: ReadonlyMap<number, string> = new Map([
  [0.9, "55.2"],
  [0.999, "60.6"],
]);

/** The ablation of the momentum m of the key encoder (section 4.1), each m the paper's own. */
export function momentumAblation(preset: Preset): Ablation {
  const queueSize = preset.momentumAblationQueueSize;
  return {
    id: "momentum",
    title: "Momentum of the key encoder",
    paper: "section 4.1, table in the text",
    claims: ["S6"],
    axis: { name: "m", values: preset.momenta, logarithmic: false },
    cells: preset.momenta.map((momentum) => ({
      label: `m = ${momentum}`,
      recipe: ablationRecipe(preset, queueSize, momentum),
      published: publishedAt(momentum),
      publishedAt: "K = 4,096",
      claimed: claimed.get(momentum),
    })),
    referenceLabel: `m = ${preset.referenceMomentum}`,
    publishedOnly: [...publishedMomenta.keys()]
      .filter((momentum) => !preset.momenta.includes(momentum))
      .map((momentum) => ({
        label: `m = ${momentum}`,
        published: publishedAt(momentum),
        claimed: claimed.get(momentum),
        reason: `its key encoder averages over ${Math.round(1 / (1 - momentum)).toLocaleString("en")} steps: not run by this preset`,
      })),
  };
}

function publishedAt(momentum: number): Published {
  return { value: publishedMomenta.get(momentum)!, source: "section 4.1" };
}
