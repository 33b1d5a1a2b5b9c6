import { z } from "zod";
import { InputError } from "../errors";
import { parseBySchema, scheduleSchema } from "../train/recipe";
import { assertScheduleFits } from "../train/schedule";

const positiveInteger = z.number().int().positive();
const positive = z.number().positive().finite();

/** Everything that defines the training of a linear classifier on a frozen network, but network and seed. Plain data. */
export const linearRecipeSchema = z
  .object({
    name: z.string().min(1),
    /** Where each value comes from. */
    source: z.string().min(1),
    /** "emoji", "cifar10" or "folder:PATH". */
    dataset: z.string().min(1),
    /** Side of the images in pixels. */
    imageSize: positiveInteger.max(1024),
    /** The part that is classified after each epoch. */
    part: z.enum(["validation", "test"]),
    batchSize: positiveInteger,
    learningRate: positive,
    momentum: z.number().min(0).lt(1),
    weightDecay: z.number().min(0).finite(),
    schedule: scheduleSchema,
    epochs: positiveInteger,
    /** Standard deviation of the first weights; biases start at 0. */
    initialStd: positive,
  })
  .strict();

export type LinearRecipe = Readonly<z.infer<typeof linearRecipeSchema>>;

/**
 * The linear classification protocol on ImageNet (section 4.1). ImageNet has no test labels: what is classified is its
 * `val` part, which the kit calls test.
 */
export const paperLinearRecipe = {
  name: "linear-imagenet",
  source: "paper, section 4.1; facebookresearch/moco@87e36d3, main_lincls.py without flags",
  dataset: "folder:imagenet",
  imageSize: 224,
  part: "test",
  batchSize: 256,
  learningRate: 30,
  momentum: 0.9,
  weightDecay: 0,
  schedule: { kind: "step", milestones: [60, 80], factor: 0.1 },
  epochs: 100,
  initialStd: 0.01,
} as const satisfies LinearRecipe;

/**
 * The values of a recipe that are not the paper's, as "epochs = 2"; none where it is the paper's protocol. Which images of what size are
 * classified is not looked at.
 */
export function differencesFromPaper(recipe: LinearRecipe): readonly string[] {
  const { batchSize, learningRate, momentum, weightDecay, schedule, epochs, initialStd } = recipe;
  const values = { batchSize, learningRate, momentum, weightDecay, schedule, epochs, initialStd };
  return Object.entries(values).flatMap(([field, value]) => {
    const text = JSON.stringify(value);
    return text === JSON.stringify(paperLinearRecipe[field as keyof typeof values]) ? [] : [`${field} = ${text}`];
  });
}

/**
 * Checks a recipe of a linear classifier that comes from outside.
 *
 * @throws InputError naming every field that is wrong
 */
export function parseLinearRecipe(value: unknown): LinearRecipe {
  const recipe = parseBySchema(linearRecipeSchema, value);
  assertScheduleFits(recipe.schedule, recipe.epochs);
  return recipe;
}

/**
 * Checks that a data set can be classified by a recipe.
 *
 * @throws InputError if images have no classes, or the part that is classified has no image
 */
export function assertClassifiable(
  { dataset, part }: Pick<LinearRecipe, "dataset" | "part">,
  data: Readonly<
    Record<"train" | LinearRecipe["part"], { readonly labels: Int32Array; readonly classes: readonly string[] }>
  >,
): void {
  if (data.train.classes.length === 0) {
    throw new InputError(
      `Cannot evaluate on ${dataset}: it must have folders of two classes or more, current count is 0`,
    );
  }
  for (const name of ["train", part] as const) {
    if (data[name].labels.length > 0) continue;
    throw new InputError(`Cannot evaluate on ${dataset}: ${name} must have images, current count is 0`);
  }
}
