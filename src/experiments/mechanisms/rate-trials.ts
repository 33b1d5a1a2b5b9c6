import { rateTrialsPath, recordedRuns } from "../../runs/run-store";
import { join } from "node:path";
import { z } from "zod";
import type { ImageData } from "../../data/image-set";
import { DivergedError, InputError } from "../../errors";
import { readCheckedJson, writeCheckedJson } from "../../files/checked-json";
import { readOrSetAside } from "../../files/generations";
import { mechanisms, mechanismTitles, rateTrialRecipe, type RateTrial } from "./mechanisms";
import type { Preset } from "../../recipes/presets";
import { loadCheckpoint } from "../../train/checkpoint";
import { originNow, originSchema } from "../../train/manifest";
import { checkpointFile, pretrain } from "../../train/pretrain";
import type { Recipe } from "../../train/recipe";
import { recipeHash } from "../../train/recipe-hash";
import { disposeTraining } from "../../train/state";
import { cellTraining, type RunCellOptions } from "../../runs/run-cell";

const schema = z.object({
  /** By what, on what and when they were made; null where they were recorded before that was kept. */
  origin: originSchema.extend({ data: z.object({ name: z.string(), checksum: z.string() }) }).nullable(),
  trials: z.array(
    z.object({
      mechanism: z.enum(mechanisms),
      rate: z.number(),
      recipeHash: z.string(),
      knn: z.number().nullable(),
    }),
  ),
});

/**
 * Tries each rate of the grid with each mechanism, by short trainings with seed 1, and reads kNN on the validation part.
 * The test part is not touched. Trials that were made before are not made again.
 */
export async function tryRates(
  data: ImageData,
  preset: Preset,
  {
    onProgress,
    stopRequested,
  }: Omit<RunCellOptions, "onProgress"> & {
    readonly onProgress?: (title: string, progress: Parameters<NonNullable<RunCellOptions["onProgress"]>>[0]) => void;
  } = {},
): Promise<readonly RateTrial[]> {
  const path = rateTrialsPath(preset);
  const known = readOrSetAside(path, readRateTrials) ?? [];
  const trials: RateTrial[] = [];
  for (const mechanism of mechanisms) {
    for (const rate of preset.mechanisms.rates) {
      const recipe = rateTrialRecipe(preset, mechanism, rate);
      const hash = recipeHash(recipe);
      const before = known.find((trial) => trial.recipeHash === hash);
      const title = `${mechanismTitles[mechanism]}, rate ${rate}`;
      const knn = before
        ? before.knn
        : await validationKnn(recipe, data, preset, {
            onProgress: (progress) => onProgress?.(title, progress),
            ...(stopRequested && { stopRequested }),
          });
      trials.push({ mechanism, rate, recipeHash: hash, knn });
    }
  }
  const { name, checksum } = data;
  writeCheckedJson(path, { origin: { ...originNow(), data: { name, checksum } }, trials }, 2);
  return trials;
}

/**
 * The trials that the rates of the recorded runs were chosen by.
 *
 * @throws InputError if none are recorded at the preset
 */
export function recordedRateTrials(preset: Preset): readonly RateTrial[] {
  const trials = readRateTrials(recordedRuns(preset).rateTrials(preset));
  if (trials !== undefined) return trials;
  throw new InputError(
    `Cannot show the trials of rates: none are recorded at preset ${preset.name}. Try them (anew = true in a notebook), ` +
      "or choose preset quick",
  );
}

/**
 * Reads trials that were kept.
 *
 * @returns undefined if there are none
 * @throws InputError if the file holds something else
 */
export function readRateTrials(path: string): readonly RateTrial[] | undefined {
  return readRateTrialsFile(path)?.trials;
}

/** The same with where they come from. */
export function readRateTrialsFile(path: string): z.infer<typeof schema> | undefined {
  return readCheckedJson(path, schema, {
    what: "trials of rates",
    advice: "The comparison of mechanisms tries them again",
  });
}

async function validationKnn(
  recipe: Recipe,
  data: ImageData,
  preset: Preset,
  { onProgress, stopRequested }: RunCellOptions,
): Promise<number | null> {
  const training = { ...cellTraining(recipe, 1, data, preset), ...(stopRequested && { stopRequested }) };
  try {
    for await (const progress of pretrain(recipe, data, training)) onProgress?.(progress);
  } catch (error) {
    if (error instanceof DivergedError) return null;
    throw error;
  }
  const { state } = loadCheckpoint(join(training.directory, checkpointFile));
  disposeTraining(state);
  return state.history.monitor.at(-1)!.knn;
}
