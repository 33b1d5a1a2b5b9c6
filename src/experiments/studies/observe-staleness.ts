import { createHash } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { batchesPerEpoch } from "../../data/batches";
import type { ImageData } from "../../data/image-set";
import { DivergedError } from "../../errors";
import { readCheckedJson, writeCheckedJson } from "../../files/checked-json";
import { lockFolder } from "../../files/folder-lock";
import { forgetGenerations, readIfWhole, readOrSetAside } from "../../files/generations";
import { type RunCellOptions } from "../../runs/run-cell";
import { runsFolder } from "../../runs/run-name";
import { makeManifest, manifestSchema } from "../../train/manifest";
import { checkpointFile, pretrain, type TrainingProgress } from "../../train/pretrain";
import { recipeHash } from "../../train/recipe-hash";
import { readDrift, readMaskedAccuracy, type DictionaryRecipe } from "./staleness-reading";

/** What is looked at while a training runs. */
export interface StalenessAxes {
  /** Ages of keys in steps, rising. */
  readonly ages: readonly number[];
  /** How often the dictionary is read, evenly over the training. */
  readonly readings: number;
  /** Shares of the queue that are masked. */
  readonly masked: readonly number[];
}

const recordSchema = z.object({
  /** Loss of each step. */
  losses: z.array(z.number()),
  readings: z.array(
    z.object({
      /** Steps done. */
      step: z.number().int(),
      drift: z.array(z.object({ age: z.number().int(), drift: z.number(), keys: z.number().int() })),
      /** Empty for a memory bank, and until the queue is full of real keys. */
      masked: z.array(z.object({ share: z.number(), oldest: z.number(), random: z.number() })),
    }),
  ),
  /** Why training ended early; null if it did not. */
  diverged: z.string().nullable(),
});

const fileSchema = recordSchema.extend({ manifest: manifestSchema });

/** What was seen of a dictionary along one training. */
export type StalenessRecord = z.infer<typeof recordSchema>;

/** Where the record of one training lies, beside the runs. */
export function stalenessPath(
  recipe: DictionaryRecipe,
  seed: number,
  checksum: string,
  axes: StalenessAxes,
  root = runsFolder,
): string {
  const { ages, readings, masked } = axes;
  const definition = JSON.stringify([recipeHash(recipe), seed, checksum, ages, readings, masked]);
  const hash = createHash("sha256").update(definition).digest("hex").slice(0, 12);
  return join(root, "staleness", `${recipe.name}-${hash}-seed${seed}.json`);
}

/**
 * Trains by a recipe and reads its dictionary now and then; looked up if it is finished.
 *
 * Reading changes nothing: the training is, step for step, the one without it. One that was interrupted begins anew,
 * because what was read lies in no checkpoint.
 *
 * @param root - folder of the runs
 * @throws InputError if another process works on it
 */
export async function observeStaleness(
  recipe: DictionaryRecipe,
  seed: number,
  data: ImageData,
  axes: StalenessAxes,
  { onProgress, stopRequested, root = runsFolder }: RunCellOptions = {},
): Promise<StalenessRecord> {
  const path = stalenessPath(recipe, seed, data.checksum, axes, root);
  const kept = readIfWhole(path, readStaleness);
  if (kept) return kept;

  const directory = path.replace(/\.json$/, "");
  const lock = lockFolder(directory);
  readOrSetAside(path, readStaleness);
  // What a killed process has left.
  forgetGenerations(join(directory, checkpointFile));
  const totalSteps = recipe.epochs * batchesPerEpoch(data.train, recipe.batchSize);
  const every = Math.max(1, Math.floor(totalSteps / axes.readings));
  const record: StalenessRecord = { losses: [], readings: [], diverged: null };
  const options = {
    seed,
    directory,
    checkpointSeconds: Infinity,
    observe: (method: Parameters<typeof readDrift>[0]["method"], step: number) => {
      if (step % every !== 0) return;
      const moment = { recipe, data, seed, method, step };
      const full = recipe.method.kind === "moco" && step * recipe.batchSize >= recipe.method.queueSize;
      record.readings.push({
        step,
        drift: readDrift(moment, axes.ages),
        masked: full ? readMaskedAccuracy(moment, axes.masked) : [],
      });
    },
    ...(stopRequested && { stopRequested }),
  };
  let trained: TrainingProgress | undefined;
  try {
    for await (const progress of pretrain(recipe, data, options)) {
      record.losses.push(progress.loss);
      trained = progress;
      onProgress?.(progress);
    }
  } catch (error) {
    if (!(error instanceof DivergedError)) throw error;
    record.diverged = error.message;
  } finally {
    rmSync(directory, { recursive: true, force: true });
    lock.release();
  }
  const manifest = makeManifest({ recipe, seed, data, encoder: undefined }, trained);
  writeCheckedJson(path, { manifest, ...record });
  return record;
}

/**
 * Reads the record of a training that was watched.
 *
 * @returns undefined if there is none
 * @throws InputError if the file is not what was written
 */
export function readStalenessFile(path: string): z.infer<typeof fileSchema> | undefined {
  return readCheckedJson(path, fileSchema, { what: "record", advice: "The study trains again" });
}

/** As {@link readStalenessFile}, without the manifest. */
export function readStaleness(path: string): StalenessRecord | undefined {
  const read = readStalenessFile(path);
  if (read === undefined) return undefined;
  const { manifest: _, ...record } = read;
  return record;
}
