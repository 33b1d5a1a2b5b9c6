import { setImmediate } from "node:timers/promises";
import { createProgram, type Program } from "../../engine/program";
import type { TensorFunction } from "../../engine/tensor-function";
import { InterruptedError } from "../../errors";
import { batchImages } from "../data/image-batch";
import type { ImageRecipe } from "../detection-recipe";
import { batchLayout, type BatchShape } from "../model/batch-layout";
import { rescaleDetections } from "../model/detections";
import type { Detector } from "../model/detector";
import { detectionFunction, detectObjects, type RunDetection } from "../model/detect-objects";
import type { Size } from "../structures/boxes";
import type { Box, Detection, DetectionImage, DetectionSet } from "../structures/detection-set";
import { pasteMask } from "../structures/paste-mask";
import { commonShapes } from "./common-shapes";
import { prepareImage, resizedSize } from "./detector-images";

/** Options of {@link detectSet}. */
export interface DetectSetOptions {
  readonly onImage?: (done: number, total: number) => void;
  readonly stopRequested?: () => boolean;
}

/**
 * Runs a detector over a set, one image at a time as detectron2 does: padding would change what is found. What is done to
 * images of a common size is recorded.
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
  const recorded = recordDetection(
    detector,
    commonShapes(set.images.map((image) => shapeOf(resizedSize(image, images.testShortest, images.longest)))),
  );
  try {
    for (const [index, image] of set.images.entries()) {
      if (stopRequested?.()) {
        throw new InterruptedError(`Evaluation stopped at image ${index} of ${set.images.length}. Run the same again`);
      }
      found.push(...detectImage(detector, recorded, await set.readPixels(image), image, images));
      onImage?.(index + 1, set.images.length);
      await setImmediate();
    }
  } finally {
    recorded?.dispose();
  }
  return found;
}

type RecordedDetection = Program<Readonly<Record<string, TensorFunction>>>;

const shapeOf = ({ height, width }: Size): BatchShape => [1, height, width, 3];

/** The detector's functions for images of some shapes, by the shapes' names; undefined for no shape. */
function recordDetection(detector: Detector, shapes: readonly BatchShape[]): RecordedDetection | undefined {
  if (shapes.length === 0) return undefined;
  const functions = shapes.map((shape) => {
    const layout = batchLayout(detector.config, shape, "inference");
    return [shape.join("x"), detectionFunction({ detector, layout })] as const;
  });
  return createProgram(Object.fromEntries(functions));
}

function detectImage(
  detector: Detector,
  recorded: RecordedDetection | undefined,
  pixels: Uint8Array,
  image: DetectionImage,
  { testShortest, longest, ...normalization }: ImageRecipe,
): Detection[] {
  const to = resizedSize(image, testShortest, longest);
  const prepared = prepareImage(pixels, image, to, false, normalization);
  const batch = batchImages([prepared]);
  const name = shapeOf(to).join("x");
  const run: RunDetection | undefined = recorded?.has(name)
    ? (images, decisions) => recorded.run(name, { images }, decisions)
    : undefined;
  const [resized] = detectObjects(detector, batch, run);
  batch.images.dispose();
  prepared.dispose();
  const { boxes, scores, classes, masks } = rescaleDetections(resized!, to, image);
  return Array.from(scores, (score, index) => {
    const box = [...boxes.subarray(4 * index, 4 * index + 4)] as unknown as Box;
    const mask = masks && pasteMask(masks[index]!, box, image);
    return { imageId: image.id, category: classes[index]!, box, score, ...(mask && { mask }) };
  });
}
