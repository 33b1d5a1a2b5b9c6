import { z } from "zod";
import { InputError } from "../errors";
import { methodOf, methodSchema } from "../methods";
import type { MethodDefinition, MethodSettings } from "../methods/method";
import { momentum, positive, positiveInteger, weightDecay } from "../methods/settings";
import { architectures } from "../nn/resnet-layout";
import { assertScheduleFits } from "./schedule";

/** How the learning rate changes, as the recipe of any training says it: see `Schedule` in schedule.ts. */
export const scheduleSchema = z.discriminatedUnion("kind", [
  z
    .object({
      kind: z.literal("cosine"),
      /** Epochs of the whole cosine, where the training is only its beginning. */
      over: positiveInteger.optional(),
    })
    .strict(),
  z
    .object({
      kind: z.literal("step"),
      /** Epochs from which the rate is multiplied by `factor`. */
      milestones: z.array(positiveInteger),
      factor: z.number().positive().max(1),
    })
    .strict(),
  z
    .object({
      kind: z.literal("warmup-cosine"),
      /** Epochs in which the rate rises from 0. */
      warmup: positive,
    })
    .strict(),
]);

/** All of a recipe but its method. */
const sharedSchema = z
  .object({
    name: z.string().min(1),
    /** Where each value comes from: paper section, official configuration, or what was chosen on validation. */
    source: z.string().min(1),
    /** "emoji", "cifar10" or "folder:PATH". */
    dataset: z.string().min(1),
    /** Side of the images in pixels. */
    imageSize: positiveInteger.max(1024),
    encoder: z
      .object({
        architecture: z.enum(architectures),
        /** Channels of the first stage, 64 in the standard network. */
        width: positiveInteger.max(1024),
        stem: z.enum(["imagenet", "cifar"]),
        head: z.enum(["linear", "mlp"]),
        dimension: positiveInteger.max(4096),
      })
      .strict(),
    batchSize: positiveInteger,
    /** Parts of a batch with batch statistics of their own. */
    bnGroups: positiveInteger,
    augmentation: z.enum(["moco-v1", "moco-v2", "cifar10-demo", "simclr"]),
    optimizer: z
      .object({
        kind: z.enum(["sgd", "lars"]),
        momentum,
        weightDecay,
      })
      .strict(),
    learningRate: positive,
    schedule: scheduleSchema,
    epochs: positiveInteger,
  })
  .strict();

/** Everything that defines one pre-training but its seed. Plain data: it can be printed, hashed, compared. */
export const recipeSchema = sharedSchema.extend({ method: methodSchema }).strict();

export type Recipe = Readonly<z.infer<typeof recipeSchema>>;

/** A recipe whose method may be another than the kit's. */
export type AnyRecipe = Readonly<z.infer<typeof sharedSchema>> & { readonly method: MethodSettings };

/** The part of a recipe that says how the encoder is trained. */
export type MethodRecipe = Recipe["method"];
export type MethodKind = MethodRecipe["kind"];

/**
 * Checks a recipe that comes from outside: a configuration file, a flag, a notebook parameter.
 *
 * @throws InputError naming every field that is wrong
 */
export function parseRecipe(value: unknown): Recipe;
/** @param own - the method, where it is none of the kit's */
export function parseRecipe(value: unknown, own: MethodDefinition | undefined): AnyRecipe;
export function parseRecipe(value: unknown, own?: MethodDefinition): AnyRecipe {
  const schema = own ? sharedSchema.extend({ method: own.settings }).strict() : recipeSchema;
  const recipe = parseBySchema(schema, value) as AnyRecipe;
  const { method, batchSize, bnGroups } = recipe;
  assertScheduleFits(recipe.schedule, recipe.epochs);
  if (batchSize % bnGroups !== 0) {
    throw new InputError(
      `Cannot cut the batch into groups: bnGroups must divide the batch size ${batchSize}, ` +
        `current value is ${bnGroups}`,
    );
  }
  if (batchSize < 2 * bnGroups) {
    throw new InputError(
      "Cannot train with batch normalization on groups of one image: its statistics need two images or more in a group. " +
        `The batch size must be at least ${2 * bnGroups}, two for each of the bnGroups, current value is ${batchSize}`,
    );
  }
  methodOf(method, own).check?.(method, { batchSize, bnGroups });
  return recipe;
}

/**
 * Checks a recipe of any kind.
 *
 * @throws InputError naming every field that is wrong
 */
export function parseBySchema<T>(schema: z.ZodType<T, z.ZodTypeDef, unknown>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "recipe"}: ${message}`);
  throw new InputError(`Cannot use the recipe: some values are not valid.\n  ${problems.join("\n  ")}`);
}
