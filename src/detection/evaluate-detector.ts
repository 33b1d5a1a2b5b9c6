import { setImmediate } from "node:timers/promises";
import { InterruptedError } from "../engine/errors";
import type { AveragePrecision } from "./average-precision";
import { cocoAveragePrecision, cocoFigures, matchCoco, type CocoFigures, type CocoOptions } from "./coco-metric";
import type { DetectionRecipe, ImageRecipe } from "./detection-recipe";
import type { Box, Detection, DetectionImage, DetectionSet } from "./detection-set";
import { defaultDetectionsPerImage, rescaleDetections } from "./detections";
import type { Detector, DetectorConfig } from "./detector";
import { prepareImage, resizedSize } from "./detector-images";
import { detectObjects } from "./faster-rcnn";
import { nonMaxSuppression } from "./nms";
import { pasteMask } from "./paste-mask";
import { batchImages } from "./image-batch";
import { matchVoc, vocFigures } from "./voc-metric";

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

/** How well a detector does on a set; 0 to 1, NaN where nothing is to be found. */
export interface DetectionFigures extends AveragePrecision {
  readonly metric: DetectionRecipe["metric"];
  /** AP of each category. */
  readonly categories: readonly { readonly name: string; readonly ap: number }[];
  /** COCO's AP of finding objects, whatever their category; see {@link classAgnostic}. */
  readonly classAgnostic: AveragePrecision;
  /** All twelve figures, where the metric is COCO's. */
  readonly coco: CocoFigures | undefined;
  /** COCO's figures of the masks, where they are asked for. */
  readonly masks: CocoFigures | undefined;
}

/**
 * The figures of detections by a recipe's metric; VOC's with the rounding of detectron2's evaluator.
 *
 * @param detector - what found them; figures of masks come with `masks`
 */
export function detectionFigures(
  set: DetectionSet,
  detections: readonly Detection[],
  metric: DetectionRecipe["metric"],
  detector: Pick<DetectorConfig, "masks" | "detectionsPerImage"> = {},
): DetectionFigures {
  const ofBoxes = cocoOptions("box", detector);
  const masks = detector.masks ? cocoFigures(matchCoco(set, detections, cocoOptions("mask", detector))) : undefined;
  const blind = classAgnostic(set, detections);
  const ofBlind = cocoAveragePrecision(matchCoco(blind.set, blind.detections, ofBoxes));
  const named = (values: readonly number[]) =>
    set.categories.map(({ name }, index) => ({ name, ap: values[index] ?? NaN }));
  if (metric === "coco") {
    const coco = cocoFigures(matchCoco(set, detections, ofBoxes));
    const { ap, ap50, ap75, categoryAp } = coco;
    return { metric, ap, ap50, ap75, categories: named(categoryAp), classAgnostic: ofBlind, coco, masks };
  }
  const rule = metric === "voc-area" ? "area" : "11-point";
  const { ap, ap50, ap75, categories } = vocFigures(matchVoc(set, detections, { roundAsDetectron2: true }), rule);
  const values = categories.map((one) => one.ap);
  return { metric, ap, ap50, ap75, categories: named(values), classAgnostic: ofBlind, coco: undefined, masks };
}

/** COCO's rules for a detector: the recalls of its best detection of an image, of the best 10, and of all that it keeps. */
export function cocoOptions(
  of: CocoOptions["of"],
  { detectionsPerImage = defaultDetectionsPerImage }: Pick<DetectorConfig, "detectionsPerImage">,
): CocoOptions {
  return { of, maxDetections: [1, 10, detectionsPerImage] };
}

/**
 * A set with one category, "object", and detections as they are when categories do not matter: of boxes that overlap by more
 * than 0.5, whatever their categories, the best stays.
 */
export function classAgnostic(
  set: DetectionSet,
  detections: readonly Detection[],
): { readonly set: DetectionSet; readonly detections: readonly Detection[] } {
  const byImage = new Map<Detection["imageId"], Detection[]>();
  for (const detection of detections) {
    const list = byImage.get(detection.imageId);
    if (list === undefined) byImage.set(detection.imageId, [detection]);
    else list.push(detection);
  }
  const kept = [...byImage.values()].flatMap((list) => {
    const boxes = Float32Array.from(list.flatMap(({ box }) => box));
    const scores = Float32Array.from(list, ({ score }) => score);
    return [...nonMaxSuppression(boxes, scores, { threshold: 0.5, limit: Infinity })].map((index) => list[index]!);
  });
  const images = set.images.map((image) => ({
    ...image,
    objects: image.objects.map((object) => ({ ...object, category: 0 })),
  }));
  return {
    set: { ...set, categories: [{ id: 1, name: "object" }], images },
    detections: kept.map((detection) => ({ ...detection, category: 0 })),
  };
}
