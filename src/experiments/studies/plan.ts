import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { runDirectory, runRecordFile } from "../../runs/run-cell";
import { InputError } from "../../errors";
import { resultsFolder, runName, runsFolder } from "../../runs/run-name";
import { readRunRecord } from "../../runs/run-record";
import { recordedRuns } from "../../runs/run-store";
import type { Preset } from "../../recipes/presets";
import { queueSizeAblation } from "../ablation/queue-size";
import type { Recipe } from "../../train/recipe";
import type { BoundCell } from "./information-bound";
import { momentumLengthCells, type MomentumLengthCell } from "./momentum-length";
import { readStaleness, stalenessPath, type StalenessRecord } from "./observe-staleness";
import type { FindRun } from "./study";
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

/** What was recorded of the studies' trainings, in place of training; both throw InputError for one that is not recorded. */
export interface RecordedStudies {
  readonly findRun: FindRun;
  readonly observed: (cell: StalenessCell) => Promise<StalenessRecord>;
}

/**
 * Finds the recorded trainings of the studies.
 *
 * @param checksum - of the data set
 */
export function recordedStudies({ sizes }: StudyPlan, preset: Preset, seed: number, checksum: string): RecordedStudies {
  const store = recordedRuns(preset);
  const found = <T>(label: string, record: T | undefined): T => {
    if (record !== undefined) return record;
    throw new InputError(
      `Cannot show the studies: ${label}, seed ${seed}, is not recorded at preset ${preset.name}. Train it (anew = true in a ` +
        "notebook), or choose preset quick",
    );
  };
  return {
    // Within a promise, so that what is missing rejects it.
    findRun: ({ label, recipe }) => Promise.resolve().then(() => found(label, readRunRecord(store.run(recipe, seed)))),
    observed: ({ label, recipe }) =>
      Promise.resolve().then(() => {
        const path = stalenessPath(recipe, seed, checksum, sizes.staleness, join(resultsFolder, preset.name));
        return found(label, readStaleness(path));
      }),
  };
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
