import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { ImageData } from "../data/image-set";
import { numericSetting, numericSettingSchema } from "../engine/numeric-setting";
import { machineFacts } from "../engine/device";
import { tf } from "../engine/tf";
import type { Encoder } from "../nn/encoder";
import { encoderChecksum } from "../weights/encoder-checksum";
import { readCheckedJson } from "../files/checked-json";
import { recipeSchema, type Recipe } from "./recipe";
import { recipeHash } from "./recipe-hash";

/** File name in the folder of a run of `moco pretrain`, written when it has ended. */
export const manifestFile = "manifest.json";

/** By what, on what and when a run was made. */
export const originSchema = z.object({
  /** Commit of the kit's checkout and whether files differed from it; null outside a checkout. */
  git: z.object({ commit: z.string(), modified: z.boolean() }).nullable(),
  versions: z.object({ kit: z.string(), node: z.string(), tensorflow: z.string(), tfjs: z.string() }),
  machine: z.object({
    platform: z.string(),
    device: z.string(),
    cpu: z.string(),
    cores: z.number(),
    /** What besides the recipe changes the bits; runs that were recorded before have none. */
    setting: numericSettingSchema.optional(),
  }),
  /** When the run ended, ISO 8601. */
  finished: z.string(),
});

export const manifestSchema = z.object({
  recipe: recipeSchema,
  recipeHash: z.string(),
  seed: z.number().int(),
  data: z.object({ name: z.string(), checksum: z.string(), trainImages: z.number().int() }),
  ...originSchema.shape,
  /** Seconds of training, monitor included, over all interruptions. */
  trainingSeconds: z.number(),
  steps: z.number().int(),
  /** {@link encoderChecksum} of what was trained; null where the training diverged. */
  encoder: z.string().nullable(),
});

/** Where a run's numbers come from: enough to run it again and to judge a difference. */
export type Manifest = Readonly<z.infer<typeof manifestSchema>>;

/** The training that a manifest is of. */
export interface FinishedTraining {
  readonly recipe: Recipe;
  readonly seed: number;
  readonly data: ImageData;
  /** undefined where the training diverged. */
  readonly encoder: Encoder | undefined;
}

/**
 * The manifest of a training that has just ended.
 *
 * @param trained - undefined if there was no step
 */
export function makeManifest(
  { recipe, seed, data, encoder }: FinishedTraining,
  trained: { readonly seconds: number; readonly step: number } | undefined,
): Manifest {
  return {
    recipe,
    recipeHash: recipeHash(recipe),
    seed,
    data: { name: data.name, checksum: data.checksum, trainImages: data.train.labels.length },
    ...originNow(),
    trainingSeconds: Number((trained?.seconds ?? 0).toFixed(1)),
    steps: trained?.step ?? 0,
    encoder: encoder === undefined ? null : encoderChecksum(encoder),
  };
}

/**
 * Reads the manifest of a finished run.
 *
 * @returns undefined if there is none
 * @throws InputError if the file is not what was written
 */
export function readManifest(path: string): Manifest | undefined {
  return readCheckedJson(path, manifestSchema, {
    what: "manifest",
    advice: "`moco pretrain` writes it again, with the time and the machine of now",
  });
}

/** The origin of a run that ends now, in this process. */
export function originNow(): z.infer<typeof originSchema> {
  const machine = machineFacts();
  return {
    git: gitState(),
    versions: { kit: kitVersion(), node: machine.node, tensorflow: machine.tensorflow, tfjs: tf.version_core },
    machine: {
      platform: machine.platform,
      device: machine.device,
      cpu: machine.cpu.model,
      cores: machine.cpu.cores,
      setting: numericSetting(),
    },
    finished: new Date().toISOString(),
  };
}

const projectRoot = join(__dirname, "..", "..");

function kitVersion(): string {
  return (JSON.parse(readFileSync(join(projectRoot, "package.json"), "utf8")) as { version: string }).version;
}

function gitState(): Manifest["git"] {
  const git = (...args: string[]) =>
    execFileSync("git", args, { cwd: projectRoot, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  try {
    return { commit: git("rev-parse", "HEAD"), modified: git("status", "--porcelain", "-uno") !== "" };
  } catch {
    return null; // unpacked from an archive, or no git on the machine
  }
}
