import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { runDirectory, runRecordFile } from "../../runs/run-cell";
import { runName, runsFolder } from "../../runs/run-name";
import type { Preset } from "../../recipes/presets";
import { queueSizeAblation } from "../ablation/queue-size";
import type { Recipe } from "../../train/recipe";
import type { BoundCell } from "./information-bound";
import { momentumLengthCells, type MomentumLengthCell } from "./momentum-length";
import { stalenessPath } from "./observe-staleness";
import { shufflingCells, type ShufflingCell } from "./shuffling";
import { studySizes, type StudySizes } from "./sizes";
import { stalenessCells, type StalenessCell } from "./staleness";

/** All trainings of the studies at a preset. */
export interface StudyPlan {
  readonly preset: Preset;
  readonly sizes: StudySizes;
  readonly shuffling: readonly ShufflingCell[];
  readonly staleness: readonly StalenessCell[];
  readonly momentumLength: readonly MomentumLengthCell[];
  /** The queue ablation's own cells. */
  readonly informationBound: readonly BoundCell[];
}

/**
 * What the studies train at a preset; a training that several of them need is one run.
 *
 * @param sizes - their axes
 */
export function studyPlan(preset: Preset, sizes = studySizes(preset)): StudyPlan {
  const { cells, axis } = queueSizeAblation(preset);
  return {
    preset,
    sizes,
    shuffling: shufflingCells(preset, sizes.shuffling),
    staleness: stalenessCells(preset, sizes.staleness),
    momentumLength: momentumLengthCells(preset, sizes.momentumLength),
    informationBound: cells.map(({ label, recipe }, index) => ({ label, recipe, negatives: axis.values[index]! })),
  };
}

/**
 * Files of the plan's trainings, by where they are, with where they go among recorded results.
 *
 * @param checksum - of the data set
 * @param recorded - folder of the preset's recorded results
 */
export function studyFiles(
  plan: StudyPlan,
  seed: number,
  checksum: string,
  recorded: string,
  root = runsFolder,
): ReadonlyMap<string, string> {
  const { evaluated, watched } = trainingsOf(plan, seed, checksum, root);
  return new Map([
    ...[...evaluated].map(
      ([file, recipe]) => [file, join(recorded, `${runName(recipe, checksum, seed)}.json`)] as const,
    ),
    ...[...watched.keys()].map((file) => [file, join(recorded, relative(root, file))] as const),
  ]);
}

/** The trainings that are evaluated and those that are watched, each once, by the file that says that it is finished. */
function trainingsOf(
  { shuffling, staleness, momentumLength, informationBound, sizes }: StudyPlan,
  seed: number,
  checksum: string,
  root: string,
) {
  return {
    evaluated: new Map(
      [...shuffling, ...momentumLength, ...informationBound].map(({ recipe }): [string, Recipe] => [
        join(runDirectory(recipe, { checksum }, seed, root), runRecordFile),
        recipe,
      ]),
    ),
    watched: new Map(
      staleness.map(({ recipe }): [string, Recipe] => [
        stalenessPath(recipe, seed, checksum, sizes.staleness, root),
        recipe,
      ]),
    ),
  };
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
  const { evaluated, watched } = trainingsOf(plan, seed, checksum, root);
  const missing = (trainings: ReadonlyMap<string, Recipe>) =>
    [...trainings].filter(([file]) => !existsSync(file)).map(([, recipe]) => secondsToTrain(recipe, sizes));
  const seconds = [...missing(evaluated).map((training) => training + sizes.secondsToEvaluate), ...missing(watched)];
  return { trainings: seconds.length, minutes: Math.ceil(seconds.reduce((sum, one) => sum + one, 0) / 60) };
}

/** The end-to-end mechanism sends gradients through both encoders; measured against MoCo's step. */
const endToEndCost = 1.5;

function secondsToTrain({ method, epochs }: Recipe, { secondsPerEpoch }: StudySizes): number {
  return epochs * secondsPerEpoch * (method.kind === "end-to-end" ? endToEndCost : 1);
}
