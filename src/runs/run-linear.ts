import { rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { ImageData } from "../data/image-set";
import {
  assertSameOrigin,
  linearCheckpointFile,
  linearEpochSchema,
  resumeLinear,
  type LinearHistory,
} from "../evaluate/linear-checkpoint";
import { disposeClassifier } from "../evaluate/linear-classifier";
import { linearRecipeSchema, type LinearRecipe } from "../evaluate/linear-recipe";
import { linearOrigin, trainLinear, type LinearOptions, type LinearProgress } from "../evaluate/train-linear";
import { readCheckedJson, writeCheckedJson } from "../files/checked-json";
import { whileLocked } from "../files/folder-lock";
import { forgetGenerations } from "../files/generations";
import type { Encoder } from "../nn/encoder";
import { groupBootstrap, type Interval } from "../statistics/intervals";
import { originNow, originSchema } from "../train/manifest";
import { recipeHash } from "../train/recipe-hash";
import { encoderChecksum } from "../weights/encoder-checksum";
import { linearRunName, runsFolder } from "./run-name";

/** File name in a run's folder, beside the checkpoint. */
export const linearRunFile = "linear.json";

const share = z.number().min(0).max(1);

const runSchema = z.object({
  manifest: z.object({
    recipe: linearRecipeSchema,
    recipeHash: z.string(),
    seed: z.number().int(),
    /** The frozen network: in words, and its checksum. */
    encoder: z.object({ title: z.string(), checksum: z.string() }),
    data: z.object({
      name: z.string(),
      checksum: z.string(),
      trainImages: z.number().int(),
      classifiedImages: z.number().int(),
    }),
    ...originSchema.shape,
    trainingSeconds: z.number(),
    steps: z.number().int(),
  }),
  epochs: z.array(linearEpochSchema).min(1),
  /** Of the last epoch, by resampling the classified images. */
  topOne: z.object({ mean: share, low: share, high: share, kind: z.enum(["test sampling", "seeds"]) }),
  topFive: share,
  /** Of the last epoch: 1 for each classified image whose class is the best. */
  correct: z.string().regex(/^[01]+$/),
});

/** The training of a linear classifier and what came of it, as `linear.json` has it. */
export type LinearRun = Readonly<z.infer<typeof runSchema>>;

export interface RunLinearOptions extends Omit<LinearOptions, "stopAfter"> {
  /** The frozen network in words, for the manifest. */
  readonly title: string;
  readonly onProgress?: (progress: LinearProgress) => void;
}

/** The folder of a run: another recipe, network, data set or seed has another. */
export function linearDirectory(
  recipe: LinearRecipe,
  encoder: Encoder,
  data: ImageData,
  seed: number,
  root: string = runsFolder,
): string {
  const origin = { encoder: encoderChecksum(encoder), data: data.checksum };
  return join(root, linearRunName(recipe, origin, seed));
}

/**
 * From a recipe, a frozen network and a seed to the accuracy of a linear classifier: looked up if it is there, else trained,
 * or gone on with where it was interrupted.
 *
 * @throws InputError if the folder holds another run, and as `trainLinear` does
 */
export async function runLinear(
  recipe: LinearRecipe,
  encoder: Encoder,
  data: ImageData,
  { title, onProgress, ...options }: RunLinearOptions,
): Promise<LinearRun> {
  const { directory, seed } = options;
  const path = join(directory, linearRunFile);
  const origin = linearOrigin(recipe, encoder, data, seed);
  const finished = readLinearRun(path);
  if (finished !== undefined) {
    const { recipe: by, seed: from, encoder: of, data: on } = finished.manifest;
    assertSameOrigin(path, { ...origin, recipe: by, seed: from, encoder: of.checksum, data: on.checksum }, origin);
    return finished;
  }
  return whileLocked(directory, async () => {
    for await (const progress of trainLinear(recipe, encoder, data, options)) onProgress?.(progress);
    const { classifier, history, step, seconds } = resumeLinear(
      join(directory, linearCheckpointFile),
      origin,
      encoder,
    )!;
    disposeClassifier(classifier);
    const { labels, groups } = data[recipe.part];
    writeCheckedJson(path, {
      manifest: {
        recipe,
        recipeHash: recipeHash(recipe),
        seed,
        encoder: { title, checksum: origin.encoder },
        data: {
          name: data.name,
          checksum: data.checksum,
          trainImages: data.train.labels.length,
          classifiedImages: labels.length,
        },
        ...originNow(),
        trainingSeconds: Number(seconds.toFixed(1)),
        steps: step,
      },
      epochs: [...history.epochs],
      topOne: topOneOf(history, groups),
      topFive: history.epochs.at(-1)!.topFive,
      correct: history.correct,
    } satisfies LinearRun);
    // Read once more, so that what is returned now is what is read later.
    return readLinearRun(path)!;
  });
}

/** Top-1 after the last epoch with its interval, by resampling groups of the classified images. */
export function topOneOf({ correct }: Pick<LinearHistory, "correct">, groups: Int32Array): Interval {
  return groupBootstrap(Uint8Array.from(correct, Number), groups, { seed: 0 });
}

/**
 * Reads a finished run.
 *
 * @returns undefined if there is none
 * @throws InputError if the file is not what {@link runLinear} writes
 */
export function readLinearRun(path: string): LinearRun | undefined {
  return readCheckedJson(path, runSchema, { what: "run", advice: "Delete the file to have it written again" });
}

/** Deletes what a run consists of, so that it is trained anew; the folder may hold other things. */
export function forgetLinearRun(directory: string): void {
  forgetGenerations(join(directory, linearCheckpointFile));
  rmSync(join(directory, linearRunFile), { force: true });
}
