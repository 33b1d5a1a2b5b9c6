import { readFileSync, statSync } from "node:fs";
import { z } from "zod";
import { InputError } from "../engine/errors";
import { readGeneration, restoreNewest, writeGeneration } from "../files/generations";
import type { Encoder, EncoderConfig } from "../nn/encoder";
import { encoderParameters } from "../nn/encoder";
import { resNetRunningAverages } from "../nn/resnet-layout";
import {
  decodeSafetensors,
  encodeSafetensors,
  type DecodedSafetensors,
  type HostTensor,
  type SafetensorsContent,
} from "../nn/safetensors";
import {
  assertStateFits,
  fromStateDict,
  toStateDict,
  vectorFromStateDict,
  vectorToStateDict,
  withPrefix,
} from "../nn/state-dict";
import { decimal, integer, json, wholeNumber } from "./metadata-fields";
import { parseRecipe, recipeHash, type Recipe } from "./recipe";
import { restoreOptimizer } from "./optimizer";
import { memoryShapes, networkNames, restoreMethod, trainedNetworks } from "./start-method";
import type { TrainingState } from "./state";

const historySchema = z.object({
  curve: z.array(z.object({ step: z.number(), epoch: z.number(), loss: z.number(), accuracy: z.number() })),
  monitor: z.array(z.object({ step: z.number(), knn: z.number() })),
  pending: z.object({ loss: z.number(), accuracy: z.number(), steps: z.number() }),
});

const metadataSchema = z.object({
  format: z.literal("moco-kit checkpoint 2"),
  recipe: json,
  seed: integer,
  step: wholeNumber,
  epoch: wholeNumber,
  history: json.pipe(historySchema),
  seconds: decimal,
});

/**
 * Writes everything that training needs to go on, in safetensors with PyTorch's names and layouts: all networks, the
 * optimizer's velocities, the queue or the bank, seed, step and history.
 *
 * The checkpoint that was there stays beside it as the one before. Whatever happens while it writes, one of them is whole.
 *
 * @throws InputError if it cannot be written, as on a full disk
 */
export function saveCheckpoint(path: string, state: TrainingState, recipe: Recipe): void {
  const { networks, trained, memory } = state.method;
  const tensors = new Map<string, HostTensor>();
  const add = (state: ReadonlyMap<string, HostTensor>) => state.forEach((tensor, name) => tensors.set(name, tensor));
  for (const [name, network] of Object.entries(networks)) add(encoderState(network, `${name}.`));
  trained.forEach((name, index) => {
    const { entries } = networks[name]!.parameters;
    add(vectorToStateDict(entries, state.optimizers[index]!.velocity, `velocity.${name}.`));
  });
  add(memory());
  const metadata: z.input<typeof metadataSchema> = {
    format: "moco-kit checkpoint 2",
    recipe: JSON.stringify(recipe),
    seed: String(state.seed),
    step: String(state.step),
    epoch: String(state.history.curve.at(-1)?.epoch ?? 0),
    history: JSON.stringify(state.history),
    seconds: state.seconds.toFixed(3),
  };
  writeGeneration(path, encodeSafetensors({ tensors, metadata }));
}

/** A checkpoint read from disk, and the recipe it was trained with. */
export interface Checkpoint {
  readonly recipe: Recipe;
  readonly state: TrainingState;
}

/**
 * Reads a checkpoint. Training goes on from it bit for bit as if it had not stopped.
 *
 * @throws InputError if the file is missing, damaged or no checkpoint of the kit
 */
export function loadCheckpoint(path: string): Checkpoint {
  return readGeneration(path, (file) => checkpointOf(readContent(file), file));
}

/**
 * Reads the checkpoint to go on from, the one before it if the newest is damaged, which is said in one line of warning.
 *
 * @returns undefined if there is none that is whole
 * @throws InputError if it is no checkpoint of the kit
 */
export function resumeCheckpoint(path: string): Checkpoint | undefined {
  const content = restoreNewest(path, readContent);
  if (content === undefined) return undefined;
  const checkpoint = checkpointOf(content, path);
  if (!content.hasChecksum) console.warn(`${path} has no checksum: whether it is damaged cannot be told.`);
  return checkpoint;
}

function readContent(path: string): DecodedSafetensors {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) {
    throw new InputError(`Cannot read the checkpoint: there is no file ${path}`);
  }
  return decodeSafetensors(readFileSync(path), path);
}

function checkpointOf(content: SafetensorsContent, path: string): Checkpoint {
  const { tensors } = content;
  const { recipe, metadata } = parseCheckpoint(content, path);
  const parameters = encoderParameters(recipe.encoder);
  const network = [...parameters, ...resNetRunningAverages(recipe.encoder)];
  const [names, trained] = [networkNames(recipe.method), trainedNetworks(recipe.method)];
  const entries = [
    ...names.flatMap((name) => withPrefix(`${name}.`, network)),
    ...trained.flatMap((name) => withPrefix(`velocity.${name}.`, parameters)),
  ];
  assertStateFits(tensors, entries, path);
  const known = new Set([...entries.map(({ name }) => name), ...memoryShapes(recipe).keys()]);
  const unexpected = [...tensors.keys()].filter((name) => !known.has(name));
  if (unexpected.length > 0) {
    throw new InputError(`Cannot use ${path} as a checkpoint: its recipe has no tensors ${unexpected.join(", ")}`);
  }
  const networks = names.map((name) => [name, encoderFrom(tensors, recipe.encoder, `${name}.`, path)] as const);
  const state: TrainingState = {
    method: restoreMethod(recipe, Object.fromEntries(networks), tensors),
    optimizers: trained.map((name) =>
      restoreOptimizer(recipe.optimizer.kind, vectorFromStateDict(tensors, parameters, `velocity.${name}.`, path)),
    ),
    seed: metadata.seed,
    step: metadata.step,
    history: metadata.history,
    seconds: metadata.seconds,
  };
  return { recipe, state };
}

/** What the file says besides the networks, checked. */
function parseCheckpoint({ tensors, metadata }: SafetensorsContent, path: string) {
  const fail = (problem: string): never => {
    throw new InputError(`Cannot use ${path} as a checkpoint: ${problem}`);
  };
  if (metadata["format"] === undefined) fail("it holds weights, but not a training to go on with");
  const parsed = metadataSchema.safeParse(metadata);
  if (!parsed.success) {
    return fail(`it is damaged, or from another version of the kit. Not valid: ${fieldsOf(parsed.error)}`);
  }
  const recipe = recipeOf(parsed.data.recipe, fail);
  for (const [name, shape] of memoryShapes(recipe)) {
    const found = tensors.get(name)?.shape;
    if (found?.length !== shape.length || !shape.every((length, axis) => length === "any" || length === found[axis])) {
      fail(`its ${name} is not [${shape.join(", ")}], as its recipe says`);
    }
  }
  if (recipe.method.kind === "moco") {
    const pointer = tensors.get("queue_pointer")!.values[0]!;
    if (!(pointer >= 0 && pointer < recipe.method.queueSize && pointer % recipe.batchSize === 0)) {
      fail(`its queue has no batch that starts at row ${pointer}`);
    }
  }
  return { recipe, metadata: parsed.data };
}

function recipeOf(value: unknown, fail: (problem: string) => never): Recipe {
  try {
    return parseRecipe(value);
  } catch (error) {
    return fail(`its recipe is not valid. ${(error as InputError).message}`);
  }
}

function fieldsOf(error: z.ZodError): string {
  return [...new Set(error.issues.map(({ path }) => path[0]))].join(", ");
}

/**
 * Checks that a checkpoint belongs to the training that is asked for.
 *
 * @throws InputError saying what differs and what to do
 */
export function assertSameTraining(path: string, { recipe, state }: Checkpoint, wanted: Recipe, seed: number): void {
  if (recipeHash(recipe) === recipeHash(wanted) && state.seed === seed) return;
  throw new InputError(
    `Cannot go on from ${path}: it was trained by recipe ${recipeHash(recipe)} with seed ${state.seed}, ` +
      `asked for is ${recipeHash(wanted)} with seed ${seed}. Use another folder, or start anew with --fresh`,
  );
}

function encoderState({ parameters, running }: Encoder, prefix: string): Map<string, HostTensor> {
  return new Map([...toStateDict(parameters, prefix), ...toStateDict(running, prefix)]);
}

function encoderFrom(
  tensors: ReadonlyMap<string, HostTensor>,
  config: EncoderConfig,
  prefix: string,
  source: string,
): Encoder {
  return {
    config,
    parameters: fromStateDict(tensors, encoderParameters(config), prefix, source),
    running: fromStateDict(tensors, resNetRunningAverages(config), prefix, source),
  };
}
