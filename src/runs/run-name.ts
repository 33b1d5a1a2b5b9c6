import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { InputError } from "../errors";
import { recipeHash } from "../train/recipe-hash";

/**
 * Folder of the runs made on this machine: what the environment variable MOCO_RUNS names (another disk, for instance), else
 * `runs` beside the notebooks, which git ignores.
 */
export const runsFolder = resolve(process.env["MOCO_RUNS"] || join(__dirname, "..", "..", "runs"));

/** Folder of recorded runs, under version control. */
export const resultsFolder = join(__dirname, "..", "..", "results");

/** A recipe of any kind: what a run is named after. */
export interface NamedRecipe {
  readonly name: string;
  readonly source: string;
}

/**
 * Name of the run of an encoder, as a folder or a file: what is trained, on which images, and with which seed. Another recipe
 * or other images of the same name never find it.
 *
 * @param checksum - of the data set
 */
export function runName(recipe: NamedRecipe, checksum: string, seed: number): string {
  return `${trainedPart(recipe)}-on-${short(checksum)}-seed${seed}`;
}

/** Name of the run of a linear classifier on a frozen network. */
export function linearRunName(
  recipe: NamedRecipe,
  { encoder, data }: { /** Checksums. */ readonly encoder: string; readonly data: string },
  seed: number,
): string {
  return `${trainedPart(recipe)}-from-${short(encoder)}-on-${short(data)}-seed${seed}`;
}

/** All runs of linear classifiers on a frozen network, by whatever recipe and on whatever data. */
export function linearRunNamesOf(names: readonly string[], encoder: string, seed: number): readonly string[] {
  return names.filter((name) => name.includes(`-from-${short(encoder)}-on-`) && name.endsWith(`-seed${seed}`));
}

/** What a detector is trained from and on. */
export interface DetectorOrigin {
  /** Checksum of the encoder that it begins with, null for random weights. */
  readonly encoder: string | null;
  /** Checksum of the training part. */
  readonly data: string;
}

/** Name of the run of a detector, whichever command trains it. */
export function detectorRunName(recipe: NamedRecipe, { encoder, data }: DetectorOrigin, seed: number): string {
  return `${detectorPart(recipe, encoder)}-on-${short(data)}-seed${seed}`;
}

/**
 * Finds the name of the run of an encoder where its data are not at hand.
 *
 * @param names - those to look among
 * @throws InputError if there are runs on several data sets
 */
export function findRunName(names: readonly string[], recipe: NamedRecipe, seed: number): string | undefined {
  return theOne(names, trainedPart(recipe), seed);
}

/** The same for a detector. */
export function findDetectorName(
  names: readonly string[],
  recipe: NamedRecipe,
  encoder: string | null,
  seed: number,
): string | undefined {
  return theOne(names, detectorPart(recipe, encoder), seed);
}

/** All runs of an encoder with a seed, on whatever data. */
export function runNamesOf(names: readonly string[], recipe: NamedRecipe, seed: number): readonly string[] {
  return matching(names, trainedPart(recipe), seed);
}

/** All runs of a detector with a seed, from whatever encoder and on whatever data. */
export function detectorNamesOf(names: readonly string[], recipe: NamedRecipe, seed: number): readonly string[] {
  return names.filter(
    (name) => name.startsWith(`detect-${trainedPart(recipe)}-from-`) && name.endsWith(`-seed${seed}`),
  );
}

/** Names in a folder, without an ending; none if there is no folder. */
export function namesIn(folder: string, ending = ""): readonly string[] {
  try {
    return readdirSync(folder).flatMap((name) =>
      name.endsWith(ending) ? [name.slice(0, name.length - ending.length)] : [],
    );
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

function trainedPart(recipe: NamedRecipe): string {
  return `${recipe.name}-${recipeHash(recipe)}`;
}

function detectorPart(recipe: NamedRecipe, encoder: string | null): string {
  return `detect-${trainedPart(recipe)}-from-${encoder === null ? "random" : short(encoder)}`;
}

/** Eight digits of a checksum: two data sets that a user has under one name are told apart. */
function short(checksum: string): string {
  return checksum.slice(0, 8);
}

function matching(names: readonly string[], part: string, seed: number): readonly string[] {
  const [start, end] = [`${part}-on-`, `-seed${seed}`];
  return names.filter(
    (name) => name.startsWith(start) && name.endsWith(end) && name.length === start.length + 8 + end.length,
  );
}

function theOne(names: readonly string[], part: string, seed: number): string | undefined {
  const found = matching(names, part, seed);
  if (found.length <= 1) return found[0];
  throw new InputError(
    `Cannot tell which run is meant: there are runs of one recipe on ${found.length} data sets. Delete those that are ` +
      `no longer wanted:\n  ${found.join("\n  ")}`,
  );
}
