import { rateTrialsPath } from "../../runs/run-store";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { ImageData } from "../../data/image-set";
import { DivergedError, InputError } from "../../errors";
import { isUnchanged, withChecksum } from "../../files/checked-json";
import { readOrSetAside } from "../../files/generations";
import { replaceFile } from "../../files/replace-file";
import { mechanisms, mechanismTitles, rateTrialRecipe, type RateTrial } from "./mechanisms";
import type { Preset } from "../../recipes/presets";
import { loadCheckpoint } from "../../train/checkpoint";
import { checkpointFile, pretrain } from "../../train/pretrain";
import type { Recipe } from "../../train/recipe";
import { recipeHash } from "../../train/recipe-hash";
import { disposeTraining } from "../../train/state";
import { cellTraining, type RunCellOptions } from "../../runs/run-cell";

const trialsSchema = z.array(
  z.object({
    mechanism: z.enum(mechanisms),
    rate: z.number(),
    recipeHash: z.string(),
    knn: z.number().nullable(),
  }),
);

/** Files of earlier versions are lists without a checksum. */
const schema = z.union([trialsSchema, z.object({ trials: trialsSchema })]);

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
  replaceFile(path, `${JSON.stringify(withChecksum({ trials }), null, 2)}\n`);
  return trials;
}

/**
 * Reads trials that were kept.
 *
 * @returns undefined if there are none
 * @throws InputError if the file holds something else
 */
export function readRateTrials(path: string): readonly RateTrial[] | undefined {
  if (!existsSync(path)) return undefined;
  try {
    const json: unknown = JSON.parse(readFileSync(path, "utf8"));
    const content = schema.parse(json);
    if (isUnchanged(json)) return Array.isArray(content) ? content : content.trials;
  } catch (cause) {
    throw damaged(path, cause);
  }
  throw damaged(path);
}

function damaged(path: string, cause?: unknown): InputError {
  return new InputError(
    `Cannot read the trials of rates ${path}: it is damaged. The comparison of mechanisms tries them again`,
    { cause },
  );
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
