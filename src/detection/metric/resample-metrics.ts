import type { ImageDraws, ResampledMetric } from "../../statistics/two-level-bootstrap";
import type { Multiplicities } from "./average-precision";
import { cocoAveragePrecision, matchCoco } from "./coco-metric";
import { byMeasure, measuresOf, type ByMeasure, type ResampledMetrics } from "./detection-metrics";
import type { DetectionRecipe } from "../detection-recipe";
import type { Detection, DetectionSet } from "../structures/detection-set";
import { classAgnostic, cocoOptions } from "./evaluate-detections";
import { matchVoc, vocMetrics } from "./voc-metric";

/**
 * Metrics on draws of the images, AP of each category among them. Detections are matched once: matching looks at one image at a time.
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
  const on = (counts?: Multiplicities) => {
    const [boxes, objects, masks] = [named(counts), ofObjects(counts), ofMasks?.(counts)];
    const { ap, ap50, ap75 } = boxes;
    const measures: ByMeasure<number> = {
      ...{ ap, ap50, ap75, objectAp: objects.ap, objectAp50: objects.ap50 },
      ...(masks && { maskAp: masks.ap, maskAp50: masks.ap50, maskAp75: masks.ap75 }),
    };
    return { measures, categoryAp: boxes.categoryAp, maskCategoryAp: masks?.categoryAp };
  };
  const whole = on();
  const drawn = draws.map(on);
  const resampled = (of: (figures: ReturnType<typeof on>) => number): ResampledMetric => ({
    value: of(whole),
    drawn: Float64Array.from(drawn, of),
  });
  return {
    ...byMeasure(measuresOf(recipe), (measure) => resampled(({ measures }) => measures[measure]!)),
    categoryAp: whole.categoryAp.map((_, category) => resampled(({ categoryAp }) => categoryAp[category]!)),
    maskCategoryAp: whole.maskCategoryAp?.map((_, category) =>
      resampled(({ maskCategoryAp }) => maskCategoryAp![category]!),
    ),
  };
}

type Figures = ReturnType<typeof cocoAveragePrecision>;
type Metrics = (counts?: Multiplicities) => Figures;
type Rules = Pick<DetectionRecipe, "metric" | "detector">;

function metricsOf(set: DetectionSet, detections: readonly Detection[], { metric, detector }: Rules): Metrics {
  if (metric === "coco") {
    const matches = matchCoco(set, detections, cocoOptions("box", detector));
    return (counts) => cocoAveragePrecision(matches, counts);
  }
  const matches = matchVoc(set, detections, { roundAsDetectron2: true });
  return (counts) => {
    const { categories, ...means } = vocMetrics(matches, metric === "voc-area" ? "area" : "11-point", counts);
    return { ...means, categoryAp: categories.map(({ ap }) => ap) };
  };
}

function maskMetricsOf(set: DetectionSet, detections: readonly Detection[], { detector }: Rules): Metrics {
  const matches = matchCoco(set, detections, cocoOptions("mask", detector));
  return (counts) => cocoAveragePrecision(matches, counts);
}
