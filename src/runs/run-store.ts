import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Preset } from "../recipes/presets";
import type { Recipe } from "../train/recipe";
import { baselinePath, type BaselineName } from "./baselines";
import { runRecordFile } from "./run-cell";
import { findRunName, namesIn, resultsFolder, runsFolder } from "./run-name";

/** Where finished runs and baselines lie as files. */
export interface RunStore {
  /** The file of a run, undefined if there is none. */
  readonly run: (recipe: Recipe, seed: number) => string | undefined;
  /** Where the file of a run of that name belongs. */
  readonly place: (name: string) => string;
  readonly baseline: (name: BaselineName) => string;
  /** The trials of a preset's learning rates. */
  readonly rateTrials: (preset: Preset) => string;
}

/** The runs made on this machine. */
export function ownRuns(root = runsFolder): RunStore {
  const place = (name: string) => join(root, name, runRecordFile);
  return {
    run: (recipe, seed) => found(findRunName(namesIn(root), recipe, seed), place),
    place,
    baseline: (name) => baselinePath(name, root),
    rateTrials: (preset) => rateTrialsPath(preset, root),
  };
}

/** The runs that the kit's tables were recorded from. */
export function recordedRuns({ name: preset }: Preset, root = resultsFolder): RunStore {
  return runsInFolder(join(root, preset));
}

/** The runs of a folder as recorded ones lie in it: "NAME.json". */
export function runsInFolder(folder: string): RunStore {
  const place = (name: string) => join(folder, `${name}.json`);
  return {
    run: (recipe, seed) => found(findRunName(namesIn(folder, ".json"), recipe, seed), place),
    place,
    baseline: ({ name }) => join(folder, `${name}.json`),
    rateTrials: (preset) => rateTrialsPath(preset, folder),
  };
}

function found(name: string | undefined, place: (name: string) => string): string | undefined {
  const path = name && place(name);
  return path && existsSync(path) ? path : undefined;
}

/** Where the trials of a preset's rates are kept, beside its runs. */
export function rateTrialsPath({ name }: Preset, root = runsFolder): string {
  return join(root, `${name}-rates.json`);
}
