import type { Random } from "../../engine/random";
import { tf } from "../../engine/tf";
import type { DetectionRecipe } from "../detection-recipe";
import type { DetectionImage, DetectionSet } from "../structures/detection-set";
import { prepareImage, resizedSize, transformTruth } from "./detector-images";
import type { TrainingBatch } from "../model/faster-rcnn";
import { batchImages } from "../data/image-batch";
import { groundTruthOf } from "../model/training-samples";

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
  const { trainShortest, longest, flip, ...normalization } = preparation;
  const drawn = images.map((image) => ({
    to: resizedSize(image, trainShortest[random.integer(trainShortest.length)]!, longest),
    mirrored: random.uniform() < 0.5 && flip,
  }));
  const pixels = await Promise.all(images.map((image) => set.readPixels(image)));
  const prepared = images.map((image, index) => {
    const { to, mirrored } = drawn[index]!;
    return prepareImage(pixels[index]!, image, to, mirrored, normalization);
  });
  const batch = batchImages(prepared);
  tf.dispose(prepared);
  const truths = images.map((image, index) => {
    const { to, mirrored } = drawn[index]!;
    return transformTruth(groundTruthOf(image.objects, detector.masks), image, to, mirrored);
  });
  return { ...batch, truths };
}
