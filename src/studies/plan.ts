import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { runDirectory, runRecordFile, runsFolder } from "../reproduce/run-cell";
import type { Preset } from "../tables/presets";
import { queueSizeAblation } from "../tables/queue-size";
import { recipeHash, type Recipe } from "../train/recipe";
import type { BoundCell } from "./information-bound";
import { momentumLengthCells, type MomentumLengthCell } from "./momentum-length";
import { stalenessPath } from "./observe-staleness";
import { shufflingCells, type ShufflingCell } from "./shuffling";
import { studySizes, type StudySizes } from "./sizes";
import { stalenessCells, type StalenessCell } from "./staleness";

/** All trainings of the studies at a preset. */
export interface StudyPlan {
  readonly sizes: StudySizes;
  readonly shuffling: readonly ShufflingCell[];
  readonly staleness: readonly StalenessCell[];
  readonly momentumLength: readonly MomentumLengthCell[];
  /** The queue ablation's own cells. */
  readonly informationBound: readonly BoundCell[];
}

/** What the studies train at a preset; a training that several of them need is one run. */
export function studyPlan(preset: Preset): StudyPlan {
  const sizes = studySizes(preset);
  const { cells, axis } = queueSizeAblation(preset);
  return {
    sizes,
    shuffling: shufflingCells(preset, sizes.shuffling),
    staleness: stalenessCells(preset, sizes.staleness),
    momentumLength: momentumLengthCells(preset, sizes.momentumLength),
    informationBound: cells.map(({ label, recipe }, index) => ({ label, recipe, negatives: axis.values[index]! })),
  };
}

/**
 * Files of the plan's finished trainings, with where each lies under the folder of recorded results.
 *
 * @param checksum - of the data set
 */
export function studyFiles(
  plan: StudyPlan,
  seed: number,
  checksum: string,
  root = runsFolder,
): { readonly from: string; readonly to: string }[] {
  const evaluated = [...plan.shuffling, ...plan.momentumLength, ...plan.informationBound];
  const runs = new Map(evaluated.map(({ recipe }) => [runDirectory(recipe, seed, root), recipe]));
  return [
    ...[...runs].map(([directory, recipe]) => ({
      from: join(directory, runRecordFile),
      to: `${recipe.name}-${recipeHash(recipe)}-seed${seed}.json`,
    })),
    ...plan.staleness.map(({ recipe }) => {
      const from = stalenessPath(recipe, seed, checksum, plan.sizes.staleness, root);
      return { from, to: relative(root, from) };
    }),
  ];
}

/** What is left to train, for telling it before the start. */
export interface WorkLeft {
  readonly trainings: number;
  /** On two quiet cores. */
  readonly minutes: number;
}

/**
 * What of a plan is not trained yet, and how long that takes.
 *
 * @param checksum - of the data set
 */
export function workLeft(plan: StudyPlan, seed: number, checksum: string, root = runsFolder): WorkLeft {
  const { sizes } = plan;
  const evaluated = [...plan.shuffling, ...plan.momentumLength, ...plan.informationBound];
  const runs = new Map(evaluated.map(({ recipe }) => [runDirectory(recipe, seed, root), recipe]));
  const missing = [...runs].filter(([directory]) => !existsSync(join(directory, runRecordFile)));
  const watched = plan.staleness.filter(
    ({ recipe }) => !existsSync(stalenessPath(recipe, seed, checksum, sizes.staleness, root)),
  );
  const seconds =
    missing.reduce((sum, [, recipe]) => sum + secondsToTrain(recipe, sizes) + sizes.secondsToEvaluate, 0) +
    watched.reduce((sum, { recipe }) => sum + secondsToTrain(recipe, sizes), 0);
  return { trainings: missing.length + watched.length, minutes: Math.ceil(seconds / 60) };
}

/** The end-to-end mechanism sends gradients through both encoders; measured against MoCo's step. */
const endToEndCost = 1.5;

function secondsToTrain({ method, epochs }: Recipe, { secondsPerEpoch }: StudySizes): number {
  return epochs * secondsPerEpoch * (method.kind === "end-to-end" ? endToEndCost : 1);
}
