import { join } from "node:path";
import { z } from "zod";
import { readCheckedJson, writeCheckedJson } from "../files/checked-json";
import { originNow, originSchema } from "../train/manifest";
import { recipeHash } from "../train/recipe-hash";
import { resultsFolder, type NamedRecipe } from "./run-name";

const lossesSchema = z.array(z.object({ step: z.number().int(), loss: z.number() })).min(1);

const schema = z.object({
  /** Whatever is trained: that of an encoder or of a detector. */
  recipe: z.object({ name: z.string(), source: z.string() }).passthrough(),
  recipeHash: z.string(),
  seed: z.number().int(),
  data: z.object({ name: z.string(), checksum: z.string(), images: z.number().int() }),
  ...originSchema.shape,
  /** Steps of the whole schedule. */
  totalSteps: z.number().int(),
  losses: lossesSchema,
  /** Of the process, from its start. */
  seconds: z.number(),
  peakBytes: z.number(),
  /** The same steps in PyTorch, from the same weights and views (test/golden/paper_steps.py). */
  pytorch: z
    .object({ version: z.string(), losses: lossesSchema, seconds: z.number(), peakBytes: z.number() })
    .optional(),
});

/** The first steps of a recipe at its own size: what they gave, how long they took and how much memory. */
export type FirstSteps = Readonly<z.infer<typeof schema>>;

/** The folder of recorded first steps, in `results`. */
export const firstStepsFolder = "first-steps";

/** What was trained, and how its first steps went. */
export interface TrainedSteps extends Pick<FirstSteps, "seed" | "data" | "totalSteps" | "losses"> {
  readonly recipe: NamedRecipe;
}

/** The first steps that this process has taken. */
export function firstStepsOf({ recipe, ...rest }: TrainedSteps): FirstSteps {
  return {
    recipe: { ...recipe },
    recipeHash: recipeHash(recipe),
    ...rest,
    ...originNow(),
    seconds: Number(process.uptime().toFixed(1)),
    peakBytes: 1024 * process.resourceUsage().maxRSS,
  };
}

/** "3 steps in 41 s, 5.83 GB at the peak" */
export function describeFirstSteps({ losses, seconds, peakBytes }: FirstSteps): string {
  const count = losses.length === 1 ? "1 step" : `${losses.length} steps`;
  return `${count} in ${seconds.toFixed(0)} s, ${(peakBytes / 1e9).toFixed(2)} GB at the peak`;
}

/**
 * Writes first steps for the repository.
 *
 * @returns the file
 */
export function recordFirstSteps(steps: FirstSteps, root = resultsFolder): string {
  const path = join(root, firstStepsFolder, `${steps.recipe.name}.json`);
  writeCheckedJson(path, steps);
  return path;
}

/**
 * Reads recorded first steps.
 *
 * @returns undefined if there are none
 * @throws InputError if the file is not what was written
 */
export function readFirstSteps(path: string): FirstSteps | undefined {
  return readCheckedJson(path, schema, { what: "first steps", advice: "Take them again, with --steps and --record" });
}

/** The largest relative difference of a step's loss from PyTorch's; undefined where PyTorch has not taken them. */
export function differenceToPyTorch({ losses, pytorch }: FirstSteps): number | undefined {
  if (pytorch === undefined) return undefined;
  return Math.max(
    ...losses.map(({ loss }, index) => {
      const theirs = pytorch.losses[index]?.loss ?? NaN;
      return Math.abs(loss - theirs) / Math.abs(theirs);
    }),
  );
}
