import { meanOf } from "../../statistics/mean";

/** How a detection came out. */
export const Outcome = {
  /** No object where it says; or one that a better detection has found already. */
  wrong: 0,
  right: 1,
  /** On something that is not scored. */
  uncounted: 2,
} as const;

/** How the detections of one category came out at one setting: those that are in neither list are wrong. */
export interface Outcomes {
  /** Places of those that are right or not counted, rising: few, where a detector finds a hundred things in an image. */
  readonly places: Int32Array;
  /** 1 for each of them that is right, 0 for one that is not counted. */
  readonly right: Uint8Array;
}

/** Takes the {@link Outcome} of each detection apart. */
export function outcomesOf(each: Uint8Array): Outcomes {
  const places: number[] = [];
  each.forEach((outcome, place) => {
    if (outcome !== Outcome.wrong) places.push(place);
  });
  return {
    places: Int32Array.from(places),
    right: Uint8Array.from(places, (place) => (each[place] === Outcome.right ? 1 : 0)),
  };
}

/**
 * How the detections of one category came out, image by image. From these tables a figure is computed again for any
 * resample of the images without matching again: matching looks at one image at a time.
 */
export interface CategoryMatches {
  /** Index of the image of each detection, by falling score. */
  readonly image: Int32Array;
  /** Place of each among those of its image, the best has 0. */
  readonly rank: Int32Array;
  /** How they came out, for each setting (IoU threshold, area range) of the metric. */
  readonly outcomes: readonly Outcomes[];
  /** Index of the image of each object that is to be found, one row for each area range of the metric. */
  readonly targets: readonly Int32Array[];
}

/** Average precision over the IoU thresholds .50, .55, ..., .95, and at .50 and .75; 0 to 1, NaN where nothing is to be found. */
export interface AveragePrecision {
  readonly ap: number;
  readonly ap50: number;
  readonly ap75: number;
}

/**
 * How often each image counts, for a bootstrap over images: integers, one for each image of the set. The metrics are
 * those of a set that holds each image so many times (but for the order of equal scores).
 */
export type Multiplicities = ArrayLike<number>;

/** Precision and recall after each right detection; precision is the best at this recall or a larger one. */
export interface PrecisionRecall {
  readonly recall: Float64Array;
  readonly precision: Float64Array;
  /** Recall after all detections, 0 where there are none. */
  readonly finalRecall: number;
}

/** Number of objects to be found. */
export function countTargets(targets: Int32Array, multiplicities?: Multiplicities): number {
  if (multiplicities === undefined) return targets.length;
  let count = 0;
  for (const image of targets) count += multiplicities[image]!;
  return count;
}

/**
 * How often each detection of a category counts, and how many count up to each place: the same at all settings, so it is
 * counted once for all of them.
 *
 * @param limit - how many detections of each image count
 */
export function countDetections(
  { image, rank }: CategoryMatches,
  limit: number,
  multiplicities?: Multiplicities,
): DetectionCounts {
  const times = new Int32Array(image.length);
  const upTo = new Int32Array(image.length);
  let count = 0;
  for (let place = 0; place < image.length; place++) {
    if (rank[place]! < limit) {
      const counted = multiplicities === undefined ? 1 : multiplicities[image[place]!]!;
      times[place] = counted;
      count += counted;
    }
    upTo[place] = count;
  }
  return { times, upTo };
}

/** Of {@link countDetections}, by place. */
export interface DetectionCounts {
  readonly times: Int32Array;
  /** The sum of `times` from the first to this one. */
  readonly upTo: Int32Array;
}

/**
 * The curve of one category at one setting.
 *
 * @param targetCount - from {@link countTargets}, positive
 */
export function precisionRecall(
  { places, right: isRight }: Outcomes,
  { times, upTo }: DetectionCounts,
  targetCount: number,
): PrecisionRecall {
  const recall = new Float64Array(places.length);
  const precision = new Float64Array(places.length);
  let points = 0;
  let right = 0;
  let uncounted = 0;
  for (let index = 0; index < places.length; index++) {
    const place = places[index]!;
    const counted = times[place]!;
    if (isRight[index] === 0) {
      uncounted += counted;
    } else if (counted > 0) {
      right += counted;
      recall[points] = right / targetCount;
      precision[points] = right / (upTo[place]! - uncounted);
      points++;
    }
  }
  // Between right detections precision falls and recall stays: the points after right ones are enough.
  for (let at = points - 2; at >= 0; at--) {
    precision[at] = Math.max(precision[at]!, precision[at + 1]!);
  }
  return {
    recall: recall.subarray(0, points),
    precision: precision.subarray(0, points),
    finalRecall: right / targetCount,
  };
}

/** The mean of the best precision at each of some rising recalls or beyond, 0 where a recall is not reached. */
export function precisionAtRecalls({ recall, precision }: PrecisionRecall, wanted: readonly number[]): number {
  let sum = 0;
  let at = 0;
  for (const level of wanted) {
    while (at < recall.length && recall[at]! < level) at++;
    if (at === recall.length) break;
    sum += precision[at]!;
  }
  return sum / wanted.length;
}

/** The area under the curve of best precision over recall. */
export function areaUnderCurve({ recall, precision }: PrecisionRecall): number {
  let area = 0;
  recall.forEach((value, at) => (area += (value - (recall[at - 1] ?? 0)) * precision[at]!));
  return area;
}

/** The mean of those values that are numbers, NaN where none is: a category without objects has no average precision. */
export function meanOfNumbers(values: readonly number[]): number {
  const numbers = values.filter((value) => !Number.isNaN(value));
  return numbers.length === 0 ? NaN : meanOf(numbers);
}
