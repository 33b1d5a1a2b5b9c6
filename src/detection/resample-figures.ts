import type { PictureDraws, ResampledFigure } from "../evaluate/two-level-bootstrap";
import type { AveragePrecision, Multiplicities } from "./average-precision";
import { cocoAveragePrecision, matchCoco } from "./coco-metric";
import type { DetectionRecipe } from "./detection-recipe";
import type { Detection, DetectionSet } from "./detection-set";
import { classAgnostic } from "./evaluate-detector";
import { matchVoc, vocFigures } from "./voc-metric";

/** Figures of a detector that differences are looked at by: of all categories, and of objects whatever their category. */
export const detectionMeasures = ["ap", "ap50", "ap75", "objectAp", "objectAp50"] as const;
export type DetectionMeasure = (typeof detectionMeasures)[number];

/** Names in tables. */
export const measureTitles: Readonly<Record<DetectionMeasure, string>> = {
  ap: "AP",
  ap50: "AP50",
  ap75: "AP75",
  objectAp: "AP, any category",
  objectAp50: "AP50, any category",
};

/** The figures of one run, each on the test set and on every draw of its pictures. */
export type ResampledFigures = Readonly<Record<DetectionMeasure, ResampledFigure>>;

/**
 * Figures on draws of the pictures. Detections are matched once: matching looks at one picture at a time.
 *
 * @param draws - from `drawPictures`, for as many pictures as the set has
 */
export function resampleFigures(
  set: DetectionSet,
  detections: readonly Detection[],
  metric: DetectionRecipe["metric"],
  draws: PictureDraws,
): ResampledFigures {
  const named = figuresOf(set, detections, metric);
  const blind = classAgnostic(set, detections);
  const ofObjects = figuresOf(blind.set, blind.detections, "coco");
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
  metric: DetectionRecipe["metric"],
): (counts?: Multiplicities) => AveragePrecision {
  if (metric === "coco") {
    const matches = matchCoco(set, detections, { of: "box" });
    return (counts) => cocoAveragePrecision(matches, counts);
  }
  const matches = matchVoc(set, detections, { roundAsDetectron2: true });
  return (counts) => vocFigures(matches, metric === "voc-area" ? "area" : "11-point", counts);
}
