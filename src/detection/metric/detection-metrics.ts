import type { ResampledMetric } from "../../statistics/two-level-bootstrap";
import type { DetectionRecipe } from "../detection-recipe";

/** Metrics of a detector that differences are looked at by: of boxes, of masks, and of objects whatever their category. */
const allMeasures = ["ap", "ap50", "ap75", "maskAp", "maskAp50", "maskAp75", "objectAp", "objectAp50"] as const;
export type DetectionMeasure = (typeof allMeasures)[number];

const maskMeasures = ["maskAp", "maskAp50", "maskAp75"] as const satisfies readonly DetectionMeasure[];
export type MaskMeasure = (typeof maskMeasures)[number];

/** Names in tables. */
export const measureTitles: Readonly<Record<DetectionMeasure, string>> = {
  ap: "AP",
  ap50: "AP50",
  ap75: "AP75",
  maskAp: "AP, masks",
  maskAp50: "AP50, masks",
  maskAp75: "AP75, masks",
  objectAp: "AP, any category",
  objectAp50: "AP50, any category",
};

/** Something of each measure; of those of masks where masks are predicted. */
export type ByMeasure<T> = Readonly<Record<Exclude<DetectionMeasure, MaskMeasure>, T>> &
  Readonly<Partial<Record<MaskMeasure, T>>>;

/** The metrics of one run, each on the test set and on every draw of its images. */
export type ResampledMetrics = ByMeasure<ResampledMetric> & {
  /** AP of each category; NaN where the images hold none of it. */
  readonly categoryAp: readonly ResampledMetric[];
  /** The same of masks, where they are predicted. */
  readonly maskCategoryAp?: readonly ResampledMetric[] | undefined;
};

/** The measures of a recipe's detectors, in the order of tables. */
export function measuresOf({ detector }: Pick<DetectionRecipe, "detector">): readonly DetectionMeasure[] {
  return detector.masks ? allMeasures : allMeasures.filter((measure) => !isOfMasks(measure));
}

/** @param measures - from {@link measuresOf} */
export function byMeasure<T>(
  measures: readonly DetectionMeasure[],
  of: (measure: DetectionMeasure) => T,
): ByMeasure<T> {
  return Object.fromEntries(measures.map((measure) => [measure, of(measure)])) as ByMeasure<T>;
}

export function isOfMasks(measure: DetectionMeasure): measure is MaskMeasure {
  return (maskMeasures as readonly DetectionMeasure[]).includes(measure);
}
