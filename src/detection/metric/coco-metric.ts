import { InputError } from "../../errors";
import {
  countDetections,
  countTargets,
  meanOfNumbers,
  Outcome,
  outcomesOf,
  precisionAtRecalls,
  precisionRecall,
  type AveragePrecision,
  type CategoryMatches,
  type Multiplicities,
} from "./average-precision";
import { cocoRegions, type OverlapOf } from "./coco-overlap";
import type { Annotation, Detection, DetectionSet } from "../structures/detection-set";
import { objectsByCategory, placesByImage, rankDetections } from "./ranked-detections";

/** IoU thresholds .50, .55, ..., .95, in the bits of COCO's program. */
const thresholds = Array.from({ length: 10 }, (_, index) => 0.5 + index * ((0.95 - 0.5) / 9));

/** Recalls 0, .01, ..., 1 at which precision is taken. */
const recallLevels = Array.from({ length: 101 }, (_, index) => index * 0.01);

/** Ranges of an object's area in pixels, both ends included: all, small, medium, large. */
const areaRanges = [
  [0, 1e10],
  [0, 32 ** 2],
  [32 ** 2, 96 ** 2],
  [96 ** 2, 1e10],
] as const;

type Triple = readonly [number, number, number];

/** Options of {@link matchCoco}. */
export interface CocoOptions {
  /** What overlaps are taken of: boxes or masks. */
  readonly of: "box" | "mask";
  /**
   * Detections of an image and category that count, by falling score: for the three average recalls; the last also for
   * everything else. Raise it where an image holds more objects.
   *
   * @default [1, 10, 100]
   */
  readonly maxDetections?: Triple;
}

/** Detections matched with objects, by category; {@link cocoMetrics} makes metrics of them. */
export interface CocoMatches {
  readonly maxDetections: Triple;
  readonly categories: readonly CategoryMatches[];
}

/** The twelve metrics of COCO, each 0 to 1, NaN where nothing is to be found (COCO's program says -1). */
export interface CocoMetrics extends AveragePrecision {
  /** Objects of less than 32 x 32 pixels. */
  readonly apSmall: number;
  /** Objects of 32 x 32 to 96 x 96 pixels. */
  readonly apMedium: number;
  /** Objects of more than 96 x 96 pixels. */
  readonly apLarge: number;
  /** Average recall with each of `maxDetections`. */
  readonly ar: Triple;
  readonly arSmall: number;
  readonly arMedium: number;
  readonly arLarge: number;
  /** AP of each category. */
  readonly categoryAp: readonly number[];
}

/**
 * Matches detections with objects by the rules of COCO's program (`COCOeval.evaluateImg`): from the best score down, a
 * detection takes the object of its category and image that it overlaps most, among those still free, if the IoU reaches
 * the threshold. Crowds and objects outside of an area range take what no other object takes, and count neither way.
 * `difficult` means nothing here, as COCO's files do not know it.
 *
 * @throws InputError when a detection is not of the set, or a mask is missing or of another size than its image
 */
export function matchCoco(set: DetectionSet, detections: readonly Detection[], options: CocoOptions): CocoMatches {
  const maxDetections = options.maxDetections ?? [1, 10, 100];
  if (!maxDetections.every((count, at) => Number.isInteger(count) && count > (maxDetections[at - 1] ?? 0))) {
    throw new InputError(
      `Cannot evaluate detections: maxDetections must be rising positive integers, current value is ${maxDetections.join(", ")}`,
    );
  }
  const regions = cocoRegions(set, detections, options.of);
  const objects = objectsByCategory(set);
  const ranked = rankDetections(set, detections, maxDetections[2]);
  const categories = ranked.map((ofCategory, category) => {
    const places = placesByImage(ofCategory);
    const outcomes = areaRanges.flatMap(() => thresholds.map(() => new Uint8Array(ofCategory.index.length)));
    for (const [image, placesHere] of places) {
      const objectsHere = objects[category]!.get(image) ?? [];
      const found = placesHere.map((place) => ofCategory.index[place]!);
      const overlap = regions.overlaps(image, found, objectsHere);
      areaRanges.forEach((range, at) => {
        const outside = found.map((detection) => isOutside(regions.area(image, detection), range));
        const rows = outcomes.slice(at * thresholds.length, (at + 1) * thresholds.length);
        matchImage(overlap, objectsHere, range, outside, placesHere, rows);
      });
    }
    const targets = areaRanges.map((range) => {
      const images: number[] = [];
      for (const [image, list] of objects[category]!) {
        for (const object of list) if (!isIgnored(object, range)) images.push(image);
      }
      return Int32Array.from(images);
    });
    return { image: ofCategory.image, rank: ofCategory.rank, outcomes: outcomes.map(outcomesOf), targets };
  });
  return { maxDetections, categories };
}

/** Matches the detections of one image and category at all thresholds, for one range of areas. */
function matchImage(
  overlap: OverlapOf,
  objects: readonly Annotation[],
  range: readonly [number, number],
  outside: readonly boolean[],
  places: readonly number[],
  outcomes: readonly Uint8Array[],
): void {
  const scored = [...objects.keys()].filter((object) => !isIgnored(objects[object]!, range));
  const ignored = [...objects.keys()].filter((object) => isIgnored(objects[object]!, range));
  const taken = new Uint8Array(objects.length);
  thresholds.forEach((threshold, row) => {
    taken.fill(0);
    places.forEach((place, detection) => {
      let best = -1;
      // An overlap of exactly 1 must pass rounding.
      let least = Math.min(threshold, 1 - 1e-10);
      const tryObject = (object: number): void => {
        const value = overlap(detection, object);
        // Of equal overlaps the later object is taken.
        if (value >= least) [best, least] = [object, value];
      };
      for (const object of scored) if (taken[object] === 0) tryObject(object);
      const onScored = best >= 0;
      if (!onScored) {
        for (const object of ignored) if (taken[object] === 0 || objects[object]!.crowd) tryObject(object);
      }
      if (best >= 0) taken[best] = 1;
      outcomes[row]![place] = onScored
        ? Outcome.right
        : best >= 0 || outside[detection]!
          ? Outcome.uncounted
          : Outcome.wrong;
    });
  });
}

function isIgnored(object: Annotation, range: readonly [number, number]): boolean {
  return object.crowd || isOutside(object.area, range);
}

function isOutside(area: number, [least, most]: readonly [number, number]): boolean {
  return area < least || area > most;
}

/**
 * The twelve metrics.
 *
 * @param multiplicities - how often each image counts, once each by default
 */
export function cocoMetrics(matches: CocoMatches, multiplicities?: Multiplicities): CocoMetrics {
  const [first, second, last] = matches.maxDetections;
  const all = summarize(matches, 0, last, multiplicities);
  const [small, medium, large] = [1, 2, 3].map((range) => summarize(matches, range, last, multiplicities)) as [
    Summary,
    Summary,
    Summary,
  ];
  return {
    ...precisionOf(all),
    apSmall: meanOverAll(small.precision),
    apMedium: meanOverAll(medium.precision),
    apLarge: meanOverAll(large.precision),
    ar: [
      meanOverAll(summarize(matches, 0, first, multiplicities).recall),
      meanOverAll(summarize(matches, 0, second, multiplicities).recall),
      meanOverAll(all.recall),
    ],
    arSmall: meanOverAll(small.recall),
    arMedium: meanOverAll(medium.recall),
    arLarge: meanOverAll(large.recall),
    categoryAp: all.precision.map(meanOfNumbers),
  };
}

/** AP, AP50 and AP75, and AP of each category, several times faster than {@link cocoMetrics}: for the many resamples of a bootstrap. */
export function cocoAveragePrecision(
  matches: CocoMatches,
  multiplicities?: Multiplicities,
): AveragePrecision & Pick<CocoMetrics, "categoryAp"> {
  const all = summarize(matches, 0, matches.maxDetections[2], multiplicities);
  return { ...precisionOf(all), categoryAp: all.precision.map(meanOfNumbers) };
}

/** Precision and recall of each category at each threshold. */
interface Summary {
  readonly precision: readonly (readonly number[])[];
  readonly recall: readonly (readonly number[])[];
}

function summarize(
  matches: CocoMatches,
  areaRange: number,
  limit: number,
  multiplicities: Multiplicities | undefined,
): Summary {
  const precision: number[][] = [];
  const recall: number[][] = [];
  for (const category of matches.categories) {
    const targetCount = countTargets(category.targets[areaRange]!, multiplicities);
    const counts = countDetections(category, limit, multiplicities);
    const curves = thresholds.map((_, row) => {
      const outcomes = category.outcomes[areaRange * thresholds.length + row]!;
      return targetCount === 0 ? undefined : precisionRecall(outcomes, counts, targetCount);
    });
    precision.push(curves.map((curve) => (curve === undefined ? NaN : precisionAtRecalls(curve, recallLevels))));
    recall.push(curves.map((curve) => curve?.finalRecall ?? NaN));
  }
  return { precision, recall };
}

function precisionOf({ precision }: Summary): AveragePrecision {
  return {
    ap: meanOverAll(precision),
    ap50: meanOfNumbers(precision.map((row) => row[0]!)),
    ap75: meanOfNumbers(precision.map((row) => row[5]!)),
  };
}

function meanOverAll(rows: readonly (readonly number[])[]): number {
  return meanOfNumbers(rows.flat());
}
