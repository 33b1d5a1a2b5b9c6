import { readFileSync, statSync } from "node:fs";
import { z } from "zod";
import { InputError } from "../errors";
import { restoreNewest, writeGeneration } from "../files/generations";
import type { Encoder } from "../nn/encoder";
import { decimal, integer, json, wholeNumber } from "../train/metadata-fields";
import { recipeHash } from "../train/recipe-hash";
import { Sgd } from "../train/sgd";
import { decodeSafetensors, encodeSafetensors, type DecodedSafetensors } from "../weights/safetensors";
import { fromStateDict, toStateDict, vectorFromStateDict, vectorToStateDict } from "../weights/state-dict";
import { classifierParameters, type LinearClassifier } from "./linear-classifier";
import { linearRecipeSchema, type LinearRecipe } from "./linear-recipe";

/** File name of the checkpoint in a run's folder. */
export const linearCheckpointFile = "linear.safetensors";

const share = z.number().min(0).max(1);

/** What an epoch came to. */
export const linearEpochSchema = z
  .object({
    /** From 1. */
    epoch: z.number().int().positive(),
    /** Mean over the images of the epoch, each in the step that learned from it. */
    trainLoss: z.number(),
    trainTopOne: share,
    /** Shares of the classified part whose class is the best, and among the best five. */
    topOne: share,
    topFive: share,
  })
  .strict();

const historySchema = z.object({
  epochs: z.array(linearEpochSchema),
  /** Sums over the images of the epoch under way. */
  pending: z.object({ loss: z.number(), right: z.number().int(), images: z.number().int() }),
  /** Of the last epoch: 1 for each image of the classified part whose class is the best. */
  correct: z.string().regex(/^[01]*$/),
});

/** What the training of a classifier has written down so far. */
export type LinearHistory = Readonly<z.infer<typeof historySchema>>;

export const emptyLinearHistory: LinearHistory = {
  epochs: [],
  pending: { loss: 0, right: 0, images: 0 },
  correct: "",
};

/** What a classifier is trained by and on: a checkpoint goes on with the same alone. */
export interface LinearOrigin {
  readonly recipe: LinearRecipe;
  readonly seed: number;
  /** Checksum of the frozen network. */
  readonly encoder: string;
  /** Checksum of the data set. */
  readonly data: string;
  readonly classCount: number;
}

/** What the training of a classifier carries from step to step. */
export interface LinearState {
  readonly classifier: LinearClassifier;
  /** Steps done. */
  step: number;
  history: LinearHistory;
  /** Time spent on them, over all interruptions. */
  seconds: number;
}

const metadataSchema = z.object({
  format: z.literal("moco-kit linear 1"),
  recipe: json.pipe(linearRecipeSchema),
  encoder: z.string(),
  data: z.string(),
  classCount: wholeNumber,
  seed: integer,
  step: wholeNumber,
  history: json.pipe(historySchema),
  seconds: decimal,
});

const velocityPrefix = "velocity.";

/**
 * Writes what the training of a classifier needs to go on, in safetensors: fc.weight and fc.bias in PyTorch's layouts, their
 * velocities, seed, step, history, and which network and data it is of. The frozen network is not in it.
 *
 * The checkpoint that was there stays beside it as the one before. Whatever happens while it writes, one of them is whole.
 *
 * @throws InputError if it cannot be written, as on a full disk
 */
export function saveLinear(path: string, { recipe, ...origin }: LinearOrigin, state: LinearState): void {
  const { parameters, optimizer } = state.classifier;
  const tensors = new Map([
    ...toStateDict(parameters, ""),
    ...vectorToStateDict(parameters.entries, optimizer.velocity, velocityPrefix),
  ]);
  const metadata: z.input<typeof metadataSchema> = {
    format: "moco-kit linear 1",
    recipe: JSON.stringify(recipe),
    encoder: origin.encoder,
    data: origin.data,
    classCount: String(origin.classCount),
    seed: String(origin.seed),
    step: String(state.step),
    history: JSON.stringify(state.history),
    seconds: state.seconds.toFixed(3),
  };
  writeGeneration(path, encodeSafetensors({ tensors, metadata }));
}

/**
 * Reads the checkpoint to go on from, the one before it if the newest is damaged, which is said in one line of warning.
 *
 * @returns undefined if there is none that is whole
 * @throws InputError if it is none of a linear classifier, or of another recipe, seed, network or data set
 */
export function resumeLinear(path: string, wanted: LinearOrigin, encoder: Encoder): LinearState | undefined {
  const content = restoreNewest(path, readContent);
  if (content === undefined) return undefined;
  const parsed = metadataSchema.safeParse(content.metadata);
  if (!parsed.success) {
    const fields = [...new Set(parsed.error.issues.map((issue) => issue.path.join(".")))].join(", ");
    throw new InputError(
      `Cannot use ${path} as a linear classifier: it is damaged, or from another version of the kit. Not valid: ${fields}`,
    );
  }
  const { step, history, seconds, ...origin } = parsed.data;
  assertSameOrigin(path, origin, wanted);
  const entries = classifierParameters(encoder, wanted.classCount);
  const parameters = fromStateDict(content.tensors, entries, "", path);
  const optimizer = new Sgd(vectorFromStateDict(content.tensors, entries, velocityPrefix, path));
  return { classifier: { parameters, optimizer }, step, history, seconds };
}

function readContent(path: string): DecodedSafetensors {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) {
    throw new InputError(`Cannot read the linear classifier: there is no file ${path}`);
  }
  return decodeSafetensors(readFileSync(path), path);
}

/**
 * Checks that what is found in a file was trained by what is wanted now.
 *
 * @throws InputError saying by what it was trained, and what is asked for
 */
export function assertSameOrigin(path: string, found: LinearOrigin, wanted: LinearOrigin): void {
  const describe = ({ recipe, seed, encoder, data, classCount }: LinearOrigin) =>
    `recipe ${recipeHash(recipe)} with seed ${seed} on the network ${encoder.slice(0, 12)} and data of ` +
    `${data.slice(0, 12)} with ${classCount} classes`;
  if (describe(found) === describe(wanted)) return;
  throw new InputError(
    `Cannot go on from ${path}: it was trained by ${describe(found)}, asked for is ${describe(wanted)}. ` +
      "Use another folder, or start anew with --fresh",
  );
}
