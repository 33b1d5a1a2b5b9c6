import { existsSync, readFileSync } from "node:fs";
import { InputError } from "../../errors";
import { replaceFile } from "../../files/replace-file";
import type { Preset } from "../../recipes/presets";
import { pixelsName, randomNetworkNames, readBaseline, type BaselineName, type Baselines } from "../../runs/baselines";
import { runName } from "../../runs/run-name";
import { readRunRecord, type RunRecord } from "../../runs/run-record";
import { ownRuns, recordedRuns, type RunStore } from "../../runs/run-store";
import type { Recipe } from "../../train/recipe";
import { recipeHash } from "../../train/recipe-hash";
import { backbonesOf, type Ablation } from "./ablation";
import { ablationResult, type AblationResult } from "./ablation-result";

/**
 * Puts the runs that are there beside what the paper published; trains nothing.
 *
 * Takes the seeds from 1 upward that every cell with runs has, so that all rows rest on the same seeds.
 *
 * @param mostSeeds - leave later seeds out, also where they are there
 * @returns undefined if no cell has a run
 */
export function storedAblation(
  ablation: Ablation,
  preset: Preset,
  store: RunStore,
  mostSeeds = Infinity,
): AblationResult | undefined {
  const found = ablation.cells.map(({ recipe }) => runsOf(recipe, store));
  const seeds = Math.min(mostSeeds, ...found.filter((runs) => runs.length > 0).map((runs) => runs.length));
  const [first] = found.flat();
  if (first === undefined) return undefined;
  assertSameData(found.flat());
  return ablationResult(
    ablation,
    found.map((runs) => runs.slice(0, seeds)),
    storedBaselines(first.manifest.data.checksum, preset, ablation, store),
  );
}

/**
 * An ablation as it was recorded for the repository.
 *
 * @throws InputError if nothing of it is recorded at the preset
 */
export function recordedResult(ablation: Ablation, preset: Preset): AblationResult {
  const result = storedAblation(ablation, preset, recordedRuns(preset));
  if (result !== undefined) return result;
  throw new InputError(
    `Cannot show ${ablation.title}: nothing of it is recorded at preset ${preset.name}. Train it (anew = true in a notebook), ` +
      "or choose preset quick",
  );
}

/**
 * Copies finished runs of seeds 1 to `seeds` and the baselines from one store to another.
 *
 * @param others - files that belong to no ablation, by where they are, with where they go
 * @returns how many files were copied
 * @throws InputError if a run or a baseline is missing; then nothing is copied
 */
export function recordRuns(
  preset: Preset,
  ablations: readonly Ablation[],
  seeds: number,
  from: RunStore = ownRuns(),
  to: RunStore = recordedRuns(preset),
  others: ReadonlyMap<string, string> = new Map(),
): number {
  const files = new Map(others);
  const unmade: string[] = [];
  let checksum: string | undefined;
  for (const { recipe } of ablations.flatMap(({ cells }) => cells)) {
    for (let seed = 1; seed <= seeds; seed++) {
      const path = from.run(recipe, seed);
      const run = readRunRecord(path);
      if (path === undefined || run === undefined) {
        unmade.push(`${recipe.name}-${recipeHash(recipe)}, seed ${seed}`);
        continue;
      }
      checksum ??= run.manifest.data.checksum;
      files.set(path, to.place(runName(recipe, run.manifest.data.checksum, seed)));
    }
  }
  if (checksum !== undefined) {
    const backbones = backbonesOf(ablations.flatMap(({ cells }) => cells));
    const networks = backbones.flatMap((backbone) => randomNetworkNames(checksum, preset, backbone));
    for (const name of [...networks, pixelsName(checksum, preset)]) files.set(from.baseline(name), to.baseline(name));
  }
  if (ablations.some(({ id }) => id === "mechanisms")) files.set(from.rateTrials(preset), to.rateTrials(preset));
  const missing = [...unmade, ...[...files.keys()].filter((path) => !existsSync(path))];
  if (missing.length > 0) {
    throw new InputError(
      `Cannot record the runs of preset ${preset.name}: run moco reproduce --preset ${preset.name} --seeds ${seeds} first, ` +
        `missing now are\n  ${missing.join("\n  ")}`,
    );
  }
  for (const [source, target] of files) {
    replaceFile(target, readFileSync(source));
  }
  return files.size;
}

function runsOf(recipe: Recipe, store: RunStore): readonly RunRecord[] {
  const runs: RunRecord[] = [];
  for (;;) {
    const run = readRunRecord(store.run(recipe, runs.length + 1));
    if (run === undefined) return runs;
    runs.push(run);
  }
}

/** @throws InputError if runs of one table were trained on different images */
function assertSameData(runs: readonly RunRecord[]): void {
  const checksums = new Set(runs.map(({ manifest: { recipe, data } }) => `${recipe.imageSize} px: ${data.checksum}`));
  const sizes = new Set(runs.map(({ manifest: { recipe } }) => recipe.imageSize));
  if (checksums.size === sizes.size) return;
  throw new InputError(
    `Cannot put the runs into one table: they were trained on different images, checksums are\n  ${[...checksums].join("\n  ")}`,
  );
}

function storedBaselines(checksum: string, preset: Preset, { cells }: Ablation, store: RunStore): Baselines {
  const stored = (name: BaselineName) => readBaseline(store.baseline(name))?.evaluation;
  return {
    randomNetworks: backbonesOf(cells).map((backbone) => {
      const names = randomNetworkNames(checksum, preset, backbone);
      return { backbone, names, evaluations: names.flatMap((name) => stored(name) ?? []) };
    }),
    pixels: stored(pixelsName(checksum, preset)),
  };
}
