import type { ResampledFigure } from "../evaluate/two-level-bootstrap";

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
