import type { Random } from "../../engine/random";
import { tf } from "../../engine/tf";
import type { DetectionRecipe, ImageRecipe } from "../detection-recipe";
import type { DetectionImage, DetectionSet } from "../structures/detection-set";
import { prepareImage, resizedSize, transformTruth } from "./detector-images";
import type { BatchShape } from "../model/batch-layout";
import type { TrainingBatch } from "../model/faster-rcnn";
import { batchImages, paddedSize } from "../data/image-batch";
import { groundTruthOf } from "../model/training-samples";
import type { Size } from "../structures/boxes";

/**
 * The images of each batch of a training, without end: shuffled pass after pass, and those wider than high apart from the
 * others, so that little of a batch is padding (detectron2's aspect-ratio grouping).
 *
 * @param random - of one pass over the images
 */
export function* shuffledBatches(
  images: readonly DetectionImage[],
  batchSize: number,
  random: (pass: number) => Random,
): Generator<readonly DetectionImage[], never> {
  const waiting: DetectionImage[][] = [[], []];
  for (let pass = 0; ; pass++) {
    for (const index of random(pass).permutation(images.length)) {
      const image = images[index]!;
      const group = image.width > image.height ? 0 : 1;
      waiting[group]!.push(image);
      if (waiting[group]!.length < batchSize) continue;
      yield waiting[group]!;
      waiting[group] = [];
    }
  }
}

/** What is drawn for each image of a batch. */
interface DrawnImage {
  readonly to: Size;
  readonly mirrored: boolean;
}

function drawImages(
  images: readonly DetectionImage[],
  { trainShortest, longest, flip }: ImageRecipe,
  random: Random,
): DrawnImage[] {
  return images.map((image) => ({
    to: resizedSize(image, trainShortest[random.integer(trainShortest.length)]!, longest),
    mirrored: random.uniform() < 0.5 && flip,
  }));
}

/**
 * Shapes of the first batches of a training, of 200 if it has so many. Known from the recipe, the set and the seed alone, and
 * hence the same whenever a training goes on.
 *
 * @param batches - those of the training from its first step on
 * @param random - what the images of a step are drawn by
 */
export function firstShapes(
  batches: Iterator<readonly DetectionImage[], never>,
  { images, schedule }: Pick<DetectionRecipe, "images" | "schedule">,
  random: (step: number) => Random,
): BatchShape[] {
  return Array.from({ length: Math.min(schedule.iterations, 200) }, (_, step): BatchShape => {
    const sizes = drawImages(batches.next().value, images, random(step)).map(({ to }) => to);
    const { height, width } = paddedSize(sizes);
    return [sizes.length, height, width, 3];
  });
}

/**
 * Reads and augments the images of a batch: a length of the shorter side is drawn for each, and whether it is mirrored.
 *
 * @returns the caller disposes the images
 * @throws InputError if an image cannot be read
 */
export async function readTrainingBatch(
  set: DetectionSet,
  images: readonly DetectionImage[],
  { images: preparation, detector }: Pick<DetectionRecipe, "images" | "detector">,
  random: Random,
): Promise<TrainingBatch> {
  const drawn = drawImages(images, preparation, random);
  const pixels = await Promise.all(images.map((image) => set.readPixels(image)));
  const prepared = images.map((image, index) => {
    const { to, mirrored } = drawn[index]!;
    return prepareImage(pixels[index]!, image, to, mirrored, preparation);
  });
  const batch = batchImages(prepared);
  tf.dispose(prepared);
  const truths = images.map((image, index) => {
    const { to, mirrored } = drawn[index]!;
    return transformTruth(groundTruthOf(image.objects, detector.masks), image, to, mirrored);
  });
  return { ...batch, truths };
}
