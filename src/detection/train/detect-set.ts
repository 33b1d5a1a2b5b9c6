import { setImmediate } from "node:timers/promises";
import { InterruptedError } from "../../errors";
import { batchImages } from "../data/image-batch";
import type { ImageRecipe } from "../detection-recipe";
import { rescaleDetections } from "../model/detections";
import type { Detector } from "../model/detector";
import { detectObjects } from "../model/detect-objects";
import type { Box, Detection, DetectionImage, DetectionSet } from "../structures/detection-set";
import { pasteMask } from "../structures/paste-mask";
import { prepareImage, resizedSize } from "./detector-images";

/** Options of {@link detectSet}. */
export interface DetectSetOptions {
  readonly onImage?: (done: number, total: number) => void;
  readonly stopRequested?: () => boolean;
}

/**
 * Runs a detector over a set, one image at a time as detectron2 does: padding would change what is found.
 *
 * @returns detections in the pixels of the set's images
 * @throws InterruptedError when asked to stop
 */
export async function detectSet(
  detector: Detector,
  set: DetectionSet,
  images: ImageRecipe,
  { onImage, stopRequested }: DetectSetOptions = {},
): Promise<Detection[]> {
  const found: Detection[] = [];
  for (const [index, image] of set.images.entries()) {
    if (stopRequested?.()) {
      throw new InterruptedError(`Evaluation stopped at image ${index} of ${set.images.length}. Run the same again`);
    }
    found.push(...detectImage(detector, await set.readPixels(image), image, images));
    onImage?.(index + 1, set.images.length);
    await setImmediate();
  }
  return found;
}

function detectImage(
  detector: Detector,
  pixels: Uint8Array,
  image: DetectionImage,
  { testShortest, longest, ...normalization }: ImageRecipe,
): Detection[] {
  const to = resizedSize(image, testShortest, longest);
  const prepared = prepareImage(pixels, image, to, false, normalization);
  const batch = batchImages([prepared]);
  const [resized] = detectObjects(detector, batch);
  batch.images.dispose();
  prepared.dispose();
  const { boxes, scores, classes, masks } = rescaleDetections(resized!, to, image);
  return Array.from(scores, (score, index) => {
    const box = [...boxes.subarray(4 * index, 4 * index + 4)] as unknown as Box;
    const mask = masks && pasteMask(masks[index]!, box, image);
    return { imageId: image.id, category: classes[index]!, box, score, ...(mask && { mask }) };
  });
}
