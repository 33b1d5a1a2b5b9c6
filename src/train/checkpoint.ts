import { readFileSync, statSync } from "node:fs";
import { z } from "zod";
import { InputError } from "../errors";
import { describeOtherSetting, numericSetting, numericSettingSchema } from "../engine/numeric-setting";
import type { Random } from "../engine/random";
import { tf } from "../engine/tf";
import type { Variable } from "../engine/variable";
import { readGeneration, restoreNewest, writeGeneration } from "../files/generations";
import type { MethodDefinition } from "../methods/method";
import type { Network } from "../nn/network";
import {
  decodeSafetensors,
  encodeSafetensors,
  type DecodedSafetensors,
  type HostTensor,
  type SafetensorsContent,
} from "../weights/safetensors";
import {
  assertStateFits,
  hostTensor,
  toStateDict,
  vectorFromStateDict,
  vectorToStateDict,
  withPrefix,
} from "../weights/state-dict";
import { decimal, integer, json, wholeNumber } from "./metadata-fields";
import { parseRecipe, type AnyRecipe, type Recipe } from "./recipe";
import { recipeHash } from "./recipe-hash";
import { disposeTraining, startTraining, type TrainingState } from "./state";

/** The points of a training curve in a file. */
export const curveSchema = z.array(
  z.object({
    step: z.number(),
    epoch: z.number(),
    loss: z.number(),
    accuracy: z.number(),
    gradientNorm: z.number().optional(),
  }),
);

const historySchema = z.object({
  curve: curveSchema,
  monitor: z.array(z.object({ step: z.number(), knn: z.number() })),
  pending: z.object({
    loss: z.number(),
    accuracy: z.number(),
    gradientNorm: z.number().default(0),
    steps: z.number(),
  }),
});

const metadataSchema = z.object({
  format: z.literal("moco-kit checkpoint 3"),
  recipe: json,
  data: json.pipe(z.object({ checksum: z.string(), images: z.number().int(), classes: z.number().int() })),
  seed: integer,
  step: wholeNumber,
  epoch: wholeNumber,
  history: json.pipe(historySchema),
  seconds: decimal,
  /** Of the process that wrote it; earlier versions told none. */
  setting: json.pipe(numericSettingSchema).optional(),
});

/**
 * Writes everything that training needs to go on, in safetensors with PyTorch's names and layouts: all networks, the
 * optimizers' velocities, the method's buffers (a queue, a bank), seed, step, history, and which data it is of.
 *
 * The checkpoint that was there stays beside it as the one before. Whatever happens while it writes, one of them is whole.
 *
 * @throws InputError if it cannot be written, as on a full disk
 */
export function saveCheckpoint(path: string, state: TrainingState, recipe: AnyRecipe): void {
  const metadata: z.input<typeof metadataSchema> & { readonly setting: string } = {
    format: "moco-kit checkpoint 3",
    recipe: JSON.stringify(recipe),
    data: JSON.stringify(state.data),
    seed: String(state.seed),
    step: String(state.step),
    epoch: String(state.history.curve.at(-1)?.epoch ?? 0),
    history: JSON.stringify(state.history),
    seconds: state.seconds.toFixed(3),
    setting: JSON.stringify(numericSetting()),
  };
  writeGeneration(path, encodeSafetensors({ tensors: tensorsOf(state), metadata }));
}

function tensorsOf({ method, optimizers }: TrainingState): Map<string, HostTensor> {
  const tensors = new Map<string, HostTensor>();
  const add = (state: ReadonlyMap<string, HostTensor>) => state.forEach((tensor, name) => tensors.set(name, tensor));
  for (const [name, { parameters, running }] of Object.entries(method.networks)) {
    add(toStateDict(parameters, `${name}.`));
    if (running) add(toStateDict(running, `${name}.`));
  }
  for (const [name, { momentumBuffer }] of optimizers) {
    add(vectorToStateDict(method.networks[name]!.parameters.entries, momentumBuffer.value, velocityPrefix(name)));
  }
  for (const buffer of method.buffers ?? []) {
    // Indices are exact in float32 up to 16.7 million.
    const { shape, values } = hostTensor(buffer.value);
    tensors.set(buffer.name, { shape, values: Float32Array.from(values) });
  }
  return tensors;
}

const velocityPrefix = (network: string) => `velocity.${network}.`;

/** A checkpoint read from disk, and the recipe it was trained with. */
export interface Checkpoint<AsRecipe extends AnyRecipe = Recipe> {
  readonly recipe: AsRecipe;
  readonly state: TrainingState;
}

/**
 * Reads a checkpoint. Training goes on from it bit for bit as if it had not stopped.
 *
 * @throws InputError if the file is missing, damaged or no checkpoint of the kit
 */
export function loadCheckpoint(path: string): Checkpoint;
/** @param own - the method it was trained by, where it is none of the kit's */
export function loadCheckpoint(path: string, own: MethodDefinition | undefined): Checkpoint<AnyRecipe>;
export function loadCheckpoint(path: string, own?: MethodDefinition): Checkpoint<AnyRecipe> {
  return readGeneration(path, (file) => checkpointOf(readContent(file), file, own));
}

/**
 * Reads the checkpoint to go on from, the one before it if the newest is damaged, which is said in one line of warning.
 *
 * @param own - the method it was trained by, where it is none of the kit's
 * @returns undefined if there is none that is whole
 * @throws InputError if it is no checkpoint of the kit
 */
export function resumeCheckpoint(path: string, own?: MethodDefinition): Checkpoint<AnyRecipe> | undefined {
  const content = restoreNewest(path, readContent);
  if (content === undefined) return undefined;
  const checkpoint = checkpointOf(content, path, own);
  if (!content.hasChecksum) console.warn(`${path} has no checksum: whether it is damaged cannot be told.`);
  warnOfOtherSetting(content, path);
  return checkpoint;
}

/** From another setting on, the bits are not those of a training that was never stopped. */
function warnOfOtherSetting({ metadata }: SafetensorsContent, path: string): void {
  const before = metadata["setting"];
  const other = before === undefined ? undefined : describeOtherSetting(numericSettingSchema.parse(JSON.parse(before)));
  if (other === undefined) return;
  console.warn(
    `${path} was written under another setting (${other}): numbers may differ in their last digits from here on.`,
  );
}

function readContent(path: string): DecodedSafetensors {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) {
    throw new InputError(`Cannot read the checkpoint: there is no file ${path}`);
  }
  return decodeSafetensors(readFileSync(path), path);
}

function checkpointOf(
  content: SafetensorsContent,
  path: string,
  own: MethodDefinition | undefined,
): Checkpoint<AnyRecipe> {
  const { recipe, seed, data, step, history, seconds } = parseMetadata(content, path, own);
  const state = startTraining(recipe, { seed, data, random: () => placeholder }, own);
  try {
    restoreTensors(content.tensors, state, path);
  } catch (error) {
    disposeTraining(state);
    throw error;
  }
  return { recipe, state: Object.assign(state, { step, history, seconds }) };
}

/** Stands for the random numbers of a start whose values are all replaced: drawing millions of them takes seconds. */
const placeholder: Random = {
  uniform: () => 0,
  normal: () => 0,
  integer: () => 0,
  permutation: (count) => new Int32Array(count),
};

/** Brings the file's tensors into a training that has just been started. */
function restoreTensors(tensors: ReadonlyMap<string, HostTensor>, state: TrainingState, path: string): void {
  const { method, optimizers } = state;
  const fail = failOf(path);
  const entries = Object.entries(method.networks).flatMap(([name, { parameters, running }]) => [
    ...withPrefix(`${name}.`, [...parameters.entries, ...(running?.entries ?? [])]),
    ...(optimizers.has(name) ? withPrefix(velocityPrefix(name), parameters.entries) : []),
  ]);
  assertStateFits(tensors, entries, path);
  const buffers = method.buffers ?? [];
  const known = new Set([...entries, ...buffers].map(({ name }) => name));
  const unexpected = [...tensors.keys()].filter((name) => !known.has(name));
  if (unexpected.length > 0) fail(`its recipe has no tensors ${unexpected.join(", ")}`);
  for (const [name, network] of Object.entries(method.networks)) {
    const { parameters, running } = network;
    const vector = ({ entries }: Network["parameters"], prefix: string) =>
      vectorFromStateDict(tensors, entries, prefix, path);
    parameters.replace(vector(parameters, `${name}.`));
    running?.replace(vector(running, `${name}.`));
    optimizers.get(name)?.momentumBuffer.assign(vector(parameters, velocityPrefix(name)));
  }
  for (const buffer of buffers) restoreBuffer(buffer, tensors.get(buffer.name), fail);
  try {
    method.checkRestored?.();
  } catch (error) {
    fail((error as InputError).message);
  }
}

function restoreBuffer(buffer: Variable, found: HostTensor | undefined, fail: (problem: string) => never): void {
  if (found?.shape.join() !== buffer.shape.join()) {
    return fail(`its ${buffer.name} is not [${buffer.shape.join(", ")}], as its recipe says`);
  }
  buffer.assign(tf.tensor(found.values, [...found.shape], buffer.dtype));
}

/** What the file says besides its tensors, checked. */
function parseMetadata({ metadata }: SafetensorsContent, path: string, own: MethodDefinition | undefined) {
  const fail = failOf(path);
  if (metadata["format"] === undefined) fail("it holds weights, but not a training to go on with");
  const parsed = metadataSchema.safeParse(metadata);
  if (!parsed.success) {
    return fail(`it is damaged, or from another version of the kit. Not valid: ${fieldsOf(parsed.error)}`);
  }
  try {
    return { ...parsed.data, recipe: parseRecipe(parsed.data.recipe, own) };
  } catch (error) {
    return fail(`its recipe is not valid. ${(error as InputError).message}`);
  }
}

const failOf =
  (path: string) =>
  (problem: string): never => {
    throw new InputError(`Cannot use ${path} as a checkpoint: ${problem}`);
  };

function fieldsOf(error: z.ZodError): string {
  return [...new Set(error.issues.map(({ path }) => path[0]))].join(", ");
}

/** " (method.queueSize 64, asked for is 128)", of two recipes; empty where only their names differ. */
function differingFields(one: AnyRecipe, other: AnyRecipe): string {
  const [are, wanted] = [one, other].map((recipe) => new Map(leavesOf({ ...recipe, name: "", source: "" })));
  const fields = [...new Set([...are!.keys(), ...wanted!.keys()])].filter((key) => are!.get(key) !== wanted!.get(key));
  if (fields.length === 0) return "";
  const shown = fields.map((key) => `${key} ${are!.get(key) ?? "none"}, asked for is ${wanted!.get(key) ?? "none"}`);
  return ` (${shown.join("; ")})`;
}

function leavesOf(value: unknown, path = ""): readonly (readonly [path: string, value: string])[] {
  if (typeof value !== "object" || value === null) return [[path, String(value)]];
  return Object.entries(value).flatMap(([key, inner]) => leavesOf(inner, path === "" ? key : `${path}.${key}`));
}

/**
 * Checks that a checkpoint belongs to the training that is asked for.
 *
 * @throws InputError saying what differs and what to do
 */
export function assertSameTraining(
  path: string,
  { recipe, state }: Checkpoint<AnyRecipe>,
  wanted: { readonly recipe: AnyRecipe; readonly seed: number; readonly data: TrainingState["data"] },
): void {
  const same = recipeHash(recipe) === recipeHash(wanted.recipe) && state.seed === wanted.seed;
  const describe = (one: AnyRecipe, seed: number) => `recipe ${recipeHash(one)} with seed ${seed}`;
  const ofData = ({ checksum, images }: TrainingState["data"]) =>
    `data of checksum ${checksum.slice(0, 12)} (${images} images)`;
  if (same && state.data.checksum === wanted.data.checksum) return;
  throw new InputError(
    `Cannot go on from ${path}: it was trained ` +
      (same
        ? `on ${ofData(state.data)}, given is ${ofData(wanted.data)}`
        : `by ${describe(recipe, state.seed)}, asked for is ${describe(wanted.recipe, wanted.seed)}` +
          differingFields(recipe, wanted.recipe)) +
      ". Use another folder, or start anew with --fresh",
  );
}
