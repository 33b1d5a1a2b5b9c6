import type { PictureDraws, ResampledFigure } from "../evaluate/two-level-bootstrap";
import type { AveragePrecision, Multiplicities } from "./average-precision";
import { cocoAveragePrecision, matchCoco } from "./coco-metric";
import type { DetectionMeasure, ResampledFigures } from "./detection-measures";
import type { DetectionRecipe } from "./detection-recipe";
import type { Detection, DetectionSet } from "./detection-set";
import { classAgnostic, cocoOptions } from "./evaluate-detector";
import { matchVoc, vocFigures } from "./voc-metric";

/**
 * Figures on draws of the pictures. Detections are matched once: matching looks at one picture at a time.
 *
 * @param recipe - of the detector that found them
 * @param draws - from `drawPictures`, for as many pictures as the set has
 */
export function resampleFigures(
  set: DetectionSet,
  detections: readonly Detection[],
  recipe: Pick<DetectionRecipe, "metric" | "detector">,
  draws: PictureDraws,
): ResampledFigures {
  const named = figuresOf(set, detections, recipe);
  const blind = classAgnostic(set, detections);
  const ofObjects = figuresOf(blind.set, blind.detections, { ...recipe, metric: "coco" });
  const on = (counts?: Multiplicities) => {
    const [{ ap, ap50, ap75 }, objects] = [named(counts), ofObjects(counts)];
    return { ap, ap50, ap75, objectAp: objects.ap, objectAp50: objects.ap50 };
  };
  const whole = on();
  const drawn = draws.map(on);
  const figure = (measure: DetectionMeasure): ResampledFigure => ({
    value: whole[measure],
    drawn: Float64Array.from(drawn, (one) => one[measure]),
  });
  return {
    ap: figure("ap"),
    ap50: figure("ap50"),
    ap75: figure("ap75"),
    objectAp: figure("objectAp"),
    objectAp50: figure("objectAp50"),
  };
}

function figuresOf(
  set: DetectionSet,
  detections: readonly Detection[],
  { metric, detector }: Pick<DetectionRecipe, "metric" | "detector">,
): (counts?: Multiplicities) => AveragePrecision {
  if (metric === "coco") {
    const matches = matchCoco(set, detections, cocoOptions("box", detector));
    return (counts) => cocoAveragePrecision(matches, counts);
  }
  const matches = matchVoc(set, detections, { roundAsDetectron2: true });
  return (counts) => vocFigures(matches, metric === "voc-area" ? "area" : "11-point", counts);
}
