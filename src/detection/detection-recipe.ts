import { z } from "zod";
import { InputError } from "../errors";
import { count, momentum, positive, positiveInteger, weightDecay } from "../methods/settings";
import { architectures } from "../nn/resnet-layout";
import { parseBySchema } from "../train/recipe";

const pixels = positiveInteger.max(16384);
const split = z.string().min(1);
const limits = z.object({ beforeNms: positiveInteger, afterNms: positiveInteger }).strict();

/** Which images; the folder they lie in is no part of a recipe. */
const datasetSchema = z.discriminatedUnion("kind", [
  z
    .object({
      kind: z.literal("voc"),
      /** Splits as "VOC2007/trainval", or "train" where the folder itself is the data set; several are joined. */
      train: z.array(split).min(1),
      validation: split.optional(),
      test: split,
    })
    .strict(),
  z
    .object({
      kind: z.literal("coco"),
      train: split,
      /** A split, or this share of the training split, which is not trained on then (see `holdOut`). */
      validation: z.union([split, z.object({ heldOut: z.number().gt(0).lt(1) }).strict()]).optional(),
      test: split,
    })
    .strict(),
  z
    .object({
      kind: z.literal("scenes"),
      /** Side in pixels. */
      size: pixels,
      train: positiveInteger,
      validation: positiveInteger,
      test: positiveInteger,
      seed: z.number().int().min(0),
      /** A control: the categories of the training part are dealt out anew among its objects. */
      shuffledLabels: z.literal(true).optional(),
    })
    .strict(),
]);

/** Everything that defines the training of a detector but its seed and its initialization. */
export const detectionRecipeSchema = z
  .object({
    name: z.string().min(1),
    /** Where each value comes from. */
    source: z.string().min(1),
    dataset: datasetSchema,
    /** Rule of the metrics: COCO's, or VOC's of 2007 (11-point) or of later years (area). */
    metric: z.enum(["coco", "voc-11-point", "voc-area"]),
    detector: z
      .object({
        arch: z.enum(["c4", "dc5", "fpn"]),
        backbone: z
          .object({
            architecture: z.enum(architectures),
            width: positiveInteger.max(1024),
            stem: z.enum(["imagenet", "cifar"]),
          })
          .strict(),
        anchorSizes: z.array(positive).min(1),
        proposals: z.object({ training: limits, inference: limits }).strict(),
        anchorsPerImage: positiveInteger,
        roisPerImage: positiveInteger,
        roiResolution: positiveInteger.max(64),
        /** Whether the masks of objects are predicted too (Mask R-CNN). */
        masks: z.literal(true).optional(),
        /**
         * How many detections of an image are kept, and count by COCO's rules (maxDets); 100 if left out. More than the 10
         * that one of COCO's recalls is of.
         */
        detectionsPerImage: positiveInteger.min(11).optional(),
      })
      .strict()
      .refine(({ arch, masks }) => arch !== "dc5" || masks === undefined, {
        path: ["masks"],
        message: "must be left out with an architecture that has no mask head; c4 and fpn have one",
      })
      .refine(({ arch, anchorSizes }) => arch !== "fpn" || anchorSizes.length === 5, {
        path: ["anchorSizes"],
        message: "must be five with fpn, one for each level from P2 to P6",
      }),
    images: z
      .object({
        /** Lengths of the shorter side in training, one of them drawn for each image. */
        trainShortest: z.array(pixels).min(1),
        testShortest: pixels,
        /** The longer side is kept to this. */
        longest: pixels,
        /** Whether half of the training images are mirrored left to right. */
        flip: z.boolean(),
        /** Of red, green and blue, pixels in 0 to 1. */
        mean: z.tuple([z.number().finite(), z.number().finite(), z.number().finite()]),
        std: z.tuple([positive, positive, positive]),
      })
      .strict(),
    batchSize: positiveInteger,
    learningRate: positive,
    /** In iterations; see {@link DetectionSchedule}. */
    schedule: z
      .object({
        iterations: positiveInteger,
        warmup: count,
        milestones: z.array(positiveInteger),
      })
      .strict(),
    /** Ends the training before `iterations` where the validation part gets no better. */
    stopping: z
      .object({
        /** Iterations between readings of AP50 on the validation part. */
        evaluateEvery: positiveInteger,
        /** No end before this iteration. */
        from: positiveInteger,
        /** AP50, 0 to 1, by which a reading must exceed the best to count as better: less is noise. */
        leastRise: z.number().min(0).lt(1),
        /** Share of the run since the best reading at which it ends. */
        patience: z.number().gt(0).lt(1),
      })
      .strict()
      .optional(),
    momentum,
    /** Not applied to batch normalization. */
    weightDecay,
    /** Batches that the running averages are the mean of before evaluation. */
    preciseBnBatches: positiveInteger,
  })
  .strict();

export type DetectionRecipe = Readonly<z.infer<typeof detectionRecipeSchema>>;
export type DetectionDataset = DetectionRecipe["dataset"];
/** How images become the input of the detector. */
export type ImageRecipe = DetectionRecipe["images"];

/**
 * Checks a recipe that comes from outside.
 *
 * @throws InputError naming every field that is wrong
 */
export function parseDetectionRecipe(value: unknown): DetectionRecipe {
  return parseBySchema(detectionRecipeSchema, value);
}

/**
 * Checks that there is something to read AP50 on along the training, where it is to be read.
 *
 * @param validations - how often it is read, besides what the recipe's `stopping` wants
 * @throws InputError if the recipe names no validation part
 */
export function assertValidationPart({ name, dataset, stopping }: DetectionRecipe, validations: number): void {
  if (dataset.validation !== undefined || (stopping === undefined && validations === 0)) return;
  const reader = stopping === undefined ? "Reading AP50 over the training" : `${name}, which ends where AP50 stays,`;
  throw new InputError(`${reader} needs a validation part: dataset.validation must be given, there is none`);
}
