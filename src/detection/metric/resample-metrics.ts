import type { ImageDraws } from "../../statistics/two-level-bootstrap";
import type { AveragePrecision, Multiplicities } from "./average-precision";
import { cocoAveragePrecision, matchCoco } from "./coco-metric";
import { byMeasure, measuresOf, type ByMeasure, type ResampledMetrics } from "./detection-metrics";
import type { DetectionRecipe } from "../detection-recipe";
import type { Detection, DetectionSet } from "../structures/detection-set";
import { classAgnostic, cocoOptions } from "./evaluate-detections";
import { matchVoc, vocMetrics } from "./voc-metric";

/**
 * Metrics on draws of the images. Detections are matched once: matching looks at one image at a time.
 *
 * @param recipe - of the detector that found them; with masks, their metrics come too
 * @param draws - from `drawImages`, for as many images as the set has
 */
export function resampleMetrics(
  set: DetectionSet,
  detections: readonly Detection[],
  recipe: Rules,
  draws: ImageDraws,
): ResampledMetrics {
  const named = metricsOf(set, detections, recipe);
  const blind = classAgnostic(set, detections);
  const ofObjects = metricsOf(blind.set, blind.detections, { ...recipe, metric: "coco" });
  const ofMasks = recipe.detector.masks ? maskMetricsOf(set, detections, recipe) : undefined;
  const on = (counts?: Multiplicities): ByMeasure<number> => {
    const [{ ap, ap50, ap75 }, objects, masks] = [named(counts), ofObjects(counts), ofMasks?.(counts)];
    return {
      ...{ ap, ap50, ap75, objectAp: objects.ap, objectAp50: objects.ap50 },
      ...(masks && { maskAp: masks.ap, maskAp50: masks.ap50, maskAp75: masks.ap75 }),
    };
  };
  const whole = on();
  const drawn = draws.map(on);
  return byMeasure(measuresOf(recipe), (measure) => ({
    value: whole[measure]!,
    drawn: Float64Array.from(drawn, (one) => one[measure]!),
  }));
}

type Metrics = (counts?: Multiplicities) => AveragePrecision;
type Rules = Pick<DetectionRecipe, "metric" | "detector">;

function metricsOf(set: DetectionSet, detections: readonly Detection[], { metric, detector }: Rules): Metrics {
  if (metric === "coco") {
    const matches = matchCoco(set, detections, cocoOptions("box", detector));
    return (counts) => cocoAveragePrecision(matches, counts);
  }
  const matches = matchVoc(set, detections, { roundAsDetectron2: true });
  return (counts) => vocMetrics(matches, metric === "voc-area" ? "area" : "11-point", counts);
}

function maskMetricsOf(set: DetectionSet, detections: readonly Detection[], { detector }: Rules): Metrics {
  const matches = matchCoco(set, detections, cocoOptions("mask", detector));
  return (counts) => cocoAveragePrecision(matches, counts);
}
