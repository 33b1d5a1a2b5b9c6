import type { AveragePrecision } from "./average-precision";
import { cocoAveragePrecision, cocoMetrics, matchCoco, type CocoMetrics, type CocoOptions } from "./coco-metric";
import type { DetectionRecipe } from "../detection-recipe";
import { defaultDetectionsPerImage } from "../model/detections";
import type { DetectorConfig } from "../detector-config";
import type { Detection, DetectionSet } from "../structures/detection-set";
import { nonMaxSuppression } from "../structures/nms";
import { matchVoc, vocMetrics } from "./voc-metric";

/** How well a detector does on a set; 0 to 1, NaN where nothing is to be found. */
export interface DetectionMetrics extends AveragePrecision {
  readonly metric: DetectionRecipe["metric"];
  /** AP of each category. */
  readonly categories: readonly { readonly name: string; readonly ap: number }[];
  /** COCO's AP of finding objects, whatever their category; see {@link classAgnostic}. */
  readonly classAgnostic: AveragePrecision;
  /** All twelve metrics, where the metric is COCO's. */
  readonly coco: CocoMetrics | undefined;
  /** COCO's metrics of the masks, where they are asked for. */
  readonly masks: CocoMetrics | undefined;
}

/**
 * The metrics of detections by a recipe's metric; VOC's with the rounding of detectron2's evaluator.
 *
 * @param detector - what found them; metrics of masks come with `masks`
 */
export function evaluateDetections(
  set: DetectionSet,
  detections: readonly Detection[],
  metric: DetectionRecipe["metric"],
  detector: Pick<DetectorConfig, "masks" | "detectionsPerImage"> = {},
): DetectionMetrics {
  const ofBoxes = cocoOptions("box", detector);
  const masks = detector.masks ? cocoMetrics(matchCoco(set, detections, cocoOptions("mask", detector))) : undefined;
  const blind = classAgnostic(set, detections);
  const ofBlind = cocoAveragePrecision(matchCoco(blind.set, blind.detections, ofBoxes));
  const named = (values: readonly number[]) =>
    set.categories.map(({ name }, index) => ({ name, ap: values[index] ?? NaN }));
  if (metric === "coco") {
    const coco = cocoMetrics(matchCoco(set, detections, ofBoxes));
    const { ap, ap50, ap75, categoryAp } = coco;
    return { metric, ap, ap50, ap75, categories: named(categoryAp), classAgnostic: ofBlind, coco, masks };
  }
  const rule = metric === "voc-area" ? "area" : "11-point";
  const { ap, ap50, ap75, categories } = vocMetrics(matchVoc(set, detections, { roundAsDetectron2: true }), rule);
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
