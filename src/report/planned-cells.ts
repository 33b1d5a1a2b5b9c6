import { InputError } from "../errors";
import type { Ablation } from "../experiments/ablation/ablation";
import type { RateTrial } from "../experiments/mechanisms/mechanisms";
import { paperAblation, paperSeed, type PaperAblationName } from "../experiments/paper-scale/paper-ablation";
import type { Preset } from "../recipes/presets";
import type { Recipe } from "../train/recipe";
import { recipeHash } from "../train/recipe-hash";
import { ablations } from "./ablations";

/** The tables of the main job. */
export const mainTables: readonly Ablation["id"][] = ["queue-size", "momentum"];

/** One training of a table: a cell and a seed. Tables share cells; a training that several want is there once. */
export interface PlannedCell {
  /** What is trained and with which seed, as the run's folder begins: "ablation-64-0.99-0123abcd-seed1". */
  readonly id: string;
  readonly recipe: Recipe;
  readonly seed: number;
  /** Where it is a row. */
  readonly rows: readonly { readonly table: Ablation["id"]; readonly label: string }[];
}

/**
 * All trainings of some tables with seeds 1 to `seeds`, in the order of tables, rows and seeds.
 *
 * @param trials - of learning rates, which the comparison of mechanisms rests on
 * @throws InputError if a table has no cells before rates have been tried
 */
export function plannedCells(
  preset: Preset,
  {
    tables,
    seeds,
    trials,
  }: { readonly tables: readonly Ablation["id"][]; readonly seeds: number; readonly trials: readonly RateTrial[] },
): readonly PlannedCell[] {
  const planned = [...new Set(tables)].map((table) => {
    const ablation = ablations[table](preset, trials);
    if (ablation !== undefined) return ablation;
    throw new InputError(
      `Cannot plan the table ${table}: its learning rates are chosen by trials that were not made yet. ` +
        `Run: moco notebook 01 --preset ${preset.name}`,
    );
  });
  return cellsOf(
    planned,
    Array.from({ length: seeds }, (_, at) => at + 1),
  );
}

/**
 * All trainings of the paper's own rows of some tables, in the same order; the paper has one of each.
 *
 * @param dataset - where ImageNet is, "folder:PATH"; a cell's name depends on it. @default as the recipes say
 */
export function plannedPaperCells(tables: readonly PaperAblationName[], dataset?: string): readonly PlannedCell[] {
  const planned = [...new Set(tables)].map((table) => paperAblation(table, dataset));
  return cellsOf(planned, [paperSeed]);
}

function cellsOf(tables: readonly Ablation[], seeds: readonly number[]): readonly PlannedCell[] {
  const planned = new Map<string, PlannedCell>();
  for (const { id: table, cells } of tables) {
    for (const { label, recipe } of cells) {
      for (const seed of seeds) {
        const id = `${recipe.name}-${recipeHash(recipe)}-seed${seed}`;
        planned.set(id, { id, recipe, seed, rows: [...(planned.get(id)?.rows ?? []), { table, label }] });
      }
    }
  }
  return [...planned.values()];
}
