import { figure3 } from "../../paper/published-ablations";
import type { MethodRecipe, Recipe } from "../../train/recipe";
import type { Ablation, Cell, PublishedOnlyRow } from "../ablation/ablation";
import type { Published } from "../../paper/published-ablations";
import { defaultMethod, methodRecipe } from "../../recipes/method-recipes";
import type { Preset } from "../../recipes/presets";

/** What is compared: the three mechanisms of figure 2, and SimCLR. */
export const mechanisms = ["moco", "memory-bank", "end-to-end", "simclr"] as const;
export type Mechanism = (typeof mechanisms)[number];

/** Names in tables and charts, as the paper has them. */
export const mechanismTitles: Readonly<Record<Mechanism, string>> = {
  moco: "MoCo",
  "memory-bank": "memory bank",
  "end-to-end": "end-to-end",
  simclr: "SimCLR",
};

/** How a mechanism did with one rate of the grid: what the choice of its rate rests on. */
export interface RateTrial {
  readonly mechanism: Mechanism;
  /** At the preset's batch size. */
  readonly rate: number;
  readonly recipeHash: string;
  /** kNN accuracy on validation after the trial's last epoch; null if it diverged. */
  readonly knn: number | null;
}

/** The short training of one mechanism with one rate, at its middle size. */
export function rateTrialRecipe(preset: Preset, mechanism: Mechanism, rate: number): Recipe {
  const { trialEpochs, dictionarySizes } = preset.mechanisms;
  const size = sized(mechanism)
    ? dictionarySizes[Math.floor(dictionarySizes.length / 2)]!
    : preset.mechanisms.batchSizes[0]!;
  const recipe = mechanismRecipe(preset, mechanism, size, rate);
  return {
    ...recipe,
    name: `${recipe.name}-rate${rate}-trial`,
    epochs: (recipe.epochs / preset.base.epochs) * trialEpochs,
  };
}

/**
 * The rate of each mechanism that did best on validation; of equals, the lowest.
 *
 * @returns undefined if a mechanism has no trial, or all of its trials diverged
 */
export function bestRates(trials: readonly RateTrial[]): Readonly<Record<Mechanism, number>> | undefined {
  const rates = mechanisms.flatMap((mechanism) => {
    const [best] = trials
      .filter((trial) => trial.mechanism === mechanism && trial.knn !== null)
      .sort((a, b) => b.knn! - a.knn! || a.rate - b.rate);
    return best ? [[mechanism, best.rate] as const] : [];
  });
  if (rates.length < mechanisms.length) return undefined;
  return Object.fromEntries(rates) as Record<Mechanism, number>;
}

/**
 * The comparison of mechanisms over K (figure 3), SimCLR added with its negatives on the same axis.
 *
 * All see the same number of views: the memory bank, which takes one view of an image where the others take two, has
 * twice the epochs. Larger batches have the rate scaled linearly, as section 4.1 does for end-to-end training.
 *
 * @param rates - of each mechanism, chosen on validation
 */
export function mechanismAblation(preset: Preset, rates: Readonly<Record<Mechanism, number>>): Ablation {
  const { dictionarySizes, batchSizes } = preset.mechanisms;
  const points = mechanisms.flatMap((mechanism) =>
    (sized(mechanism) ? dictionarySizes : batchSizes).map((size) => ({ mechanism, size })),
  );
  const cells = points.map(({ mechanism, size }): Cell => {
    const batches = size / preset.base.batchSize;
    const published = mechanism === "simclr" ? undefined : figure3[mechanism].get(256 * batches);
    return {
      label: `${mechanismTitles[mechanism]}, ${sized(mechanism) ? "K" : "batch"} = ${size}`,
      series: mechanismTitles[mechanism],
      recipe: mechanismRecipe(preset, mechanism, size, rates[mechanism]),
      published: published === undefined ? undefined : { value: published, source: "Figure 3" },
      publishedAt: published === undefined ? undefined : `K = ${(256 * batches).toLocaleString("en")}`,
      claimed: mechanism === "moco" ? "best trade of size and consistency" : undefined,
    };
  });
  return {
    id: "mechanisms",
    title: "Mechanisms",
    paper: "Figures 2 and 3",
    claims: ["S7", "S8"],
    axis: {
      name: "mechanism",
      values: points.map(({ mechanism, size }) => negatives(mechanism, size)),
      logarithmic: true,
    },
    cells,
    referenceLabel: cells[0]!.label,
    publishedOnly: publishedOnly(new Set(cells.map(({ series, publishedAt }) => `${series}, ${publishedAt}`))),
    publishedCurves: mechanisms.flatMap((mechanism) =>
      mechanism === "simclr" ? [] : [{ name: mechanismTitles[mechanism], points: figure3[mechanism] }],
    ),
  };
}

function publishedOnly(shown: ReadonlySet<string>): PublishedOnlyRow[] {
  return mechanisms.flatMap((mechanism) =>
    mechanism === "simclr"
      ? []
      : [...figure3[mechanism]].flatMap(([size, value]): PublishedOnlyRow[] => {
          const label = `${mechanismTitles[mechanism]}, K = ${size.toLocaleString("en")}`;
          const published: Published = { value, source: "Figure 3" };
          const reason = `${size / 256} batches of the paper: not run by this preset`;
          return shown.has(label) ? [] : [{ label, published, claimed: undefined, reason }];
        }),
  );
}

/** Whether its dictionary has a size of its own, or is the batch. */
function sized(mechanism: Mechanism): boolean {
  return mechanism === "moco" || mechanism === "memory-bank";
}

/** How many negatives a query meets. */
function negatives(mechanism: Mechanism, size: number): number {
  if (sized(mechanism)) return size;
  return mechanism === "simclr" ? 2 * size - 2 : size - 1;
}

function mechanismRecipe(preset: Preset, mechanism: Mechanism, size: number, rate: number): Recipe {
  const { base } = preset;
  const source = `${base.source}; learning rate: chosen on the validation part from ${preset.mechanisms.rates.join(", ")}`;
  if (sized(mechanism)) {
    const method = { ...defaultMethod(preset, mechanism), ...dictionary(mechanism, size) } as MethodRecipe;
    const epochs = mechanism === "memory-bank" ? 2 * base.epochs : base.epochs;
    return { ...methodRecipe(preset, method), source, learningRate: rate, epochs };
  }
  const recipe = methodRecipe(preset, defaultMethod(preset, mechanism));
  const scale = size / base.batchSize;
  return {
    ...recipe,
    name: `${recipe.name}-batch${size}`,
    source: `${source}; scaled linearly with the batch (section 4.1)`,
    batchSize: size,
    // Groups of the same size as the others'; SimCLR normalizes over all views (its section 2.2).
    bnGroups: mechanism === "simclr" ? 1 : base.bnGroups * scale,
    learningRate: rate * scale,
  };
}

function dictionary(mechanism: Mechanism, size: number) {
  return mechanism === "moco" ? { queueSize: size } : { negatives: size };
}
