import { InputError } from "../../errors";
import {
  areaUnderCurve,
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
import type { Annotation, Box, Detection, DetectionSet } from "../structures/detection-set";
import { objectsByCategory, placesByImage, rankDetections } from "./ranked-detections";

/** IoU thresholds .50, .55, ..., .95; VOC itself has .50 alone. */
const thresholds = [0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95];

/** Recalls 0, .1, ..., 1 of VOC 2007, in the bits of NumPy's `arange(0, 1.1, 0.1)`: .3, .6 and .7 are a last bit higher. */
const elevenRecalls = Array.from({ length: 11 }, (_, index) => index * 0.1);

/** Options of {@link matchVoc}. */
export interface VocOptions {
  /**
   * Rounds detections as detectron2's evaluator writes them before it scores: scores to 3 decimals, coordinates to 1
   * (`pascal_voc_evaluation.py`). Scores become equal by it, so metrics move a little.
   *
   * @default false
   */
  readonly roundAsDetectron2?: boolean;
}

/** How precision is averaged: at 11 recalls (VOC 2007), or over all (VOC 2010 and later). */
export type VocRule = "11-point" | "area";

/** AP as detectron2's VOC evaluator reports it, but 0 to 1; NaN where nothing is to be found. */
export interface VocMetrics extends AveragePrecision {
  /** The same for each category. The means above are over those that have objects. */
  readonly categories: readonly AveragePrecision[];
}

/** Detections matched with objects, by category; {@link vocMetrics} makes metrics of them. */
export interface VocMatches {
  readonly categories: readonly CategoryMatches[];
}

/**
 * Matches detections with objects by VOC's rule: from the best score down, a detection means the object of its category and
 * image that it overlaps most. It is right if their IoU is larger than the threshold (not equal) and no better detection
 * was right on that object; on a `difficult` object (or a crowd) it counts neither way.
 *
 * Overlaps are taken of pixel indices with both ends included, VOC's "+1": detections are put back on VOC's grid by adding 1
 * to xmin and ymin, the inverse of what the reader did.
 *
 * @throws InputError when a detection is not of the set
 */
export function matchVoc(set: DetectionSet, detections: readonly Detection[], options: VocOptions = {}): VocMatches {
  const written = options.roundAsDetectron2 ? detections.map(asDetectron2Writes) : detections;
  const boxes = written.map(({ box }) => vocBox(box));
  if (options.roundAsDetectron2) boxes.forEach((box, index) => (boxes[index] = roundBox(box)));
  const objects = objectsByCategory(set);
  const categories = rankDetections(set, written).map((ranked, category): CategoryMatches => {
    const outcomes = thresholds.map(() => new Uint8Array(ranked.index.length));
    for (const [image, places] of placesByImage(ranked)) {
      const found = places.map((place) => boxes[ranked.index[place]!]!);
      matchImage(found, objects[category]!.get(image) ?? [], places, outcomes);
    }
    const targets: number[] = [];
    for (const [image, list] of objects[category]!) {
      for (const object of list) if (isScored(object)) targets.push(image);
    }
    return {
      image: ranked.image,
      rank: ranked.rank,
      outcomes: outcomes.map(outcomesOf),
      targets: [Int32Array.from(targets)],
    };
  });
  return { categories };
}

/** Matches the detections of one image and category at all thresholds. */
function matchImage(
  found: readonly Box[],
  objects: readonly Annotation[],
  places: readonly number[],
  outcomes: readonly Uint8Array[],
): void {
  const truth = objects.map(({ box }) => vocBox(box));
  const best = found.map((box) => {
    let [object, overlap] = [-1, -Infinity];
    truth.forEach((other, index) => {
      const value = vocOverlap(box, other);
      if (value > overlap) [object, overlap] = [index, value];
    });
    return { object, overlap };
  });
  const taken = new Uint8Array(objects.length);
  thresholds.forEach((threshold, row) => {
    taken.fill(0);
    best.forEach(({ object, overlap }, index) => {
      let outcome: number = Outcome.wrong;
      if (overlap > threshold) {
        if (!isScored(objects[object]!)) outcome = Outcome.uncounted;
        else if (taken[object] === 0) outcome = Outcome.right;
        taken[object] = 1;
      }
      outcomes[row]![places[index]!] = outcome;
    });
  });
}

function isScored({ difficult, crowd }: Annotation): boolean {
  return !difficult && !crowd;
}

/** Pixel indices from 1, both ends included. */
function vocBox([x1, y1, x2, y2]: Box): Box {
  return [x1 + 1, y1 + 1, x2, y2];
}

function vocOverlap(one: Box, other: Box): number {
  const width = Math.max(Math.min(one[2], other[2]) - Math.max(one[0], other[0]) + 1, 0);
  const height = Math.max(Math.min(one[3], other[3]) - Math.max(one[1], other[1]) + 1, 0);
  const shared = width * height;
  return shared / (vocArea(one) + vocArea(other) - shared);
}

function vocArea([x1, y1, x2, y2]: Box): number {
  return (x2 - x1 + 1) * (y2 - y1 + 1);
}

function asDetectron2Writes(detection: Detection): Detection {
  return { ...detection, score: roundHalfEven(detection.score, 3) };
}

function roundBox([x1, y1, x2, y2]: Box): Box {
  return [roundHalfEven(x1, 1), roundHalfEven(y1, 1), roundHalfEven(x2, 1), roundHalfEven(y2, 1)];
}

/** The number as Python's format writes it: exact halves go to the even digit, where `toFixed` goes away from zero. */
function roundHalfEven(value: number, decimals: number): number {
  const text = value.toFixed(decimals);
  const scaled = Math.abs(value) * 10 ** decimals;
  if (scaled % 1 !== 0.5 || !/^50*$/.test(value.toFixed(100).slice(decimals - 100))) return Number(text);
  const low = Math.floor(scaled);
  return (Math.sign(value) * (low % 2 === 0 ? low : low + 1)) / 10 ** decimals;
}

/**
 * AP, AP50 and AP75.
 *
 * @param rule - "11-point" for VOC 2007, as in the paper
 * @param multiplicities - how often each image counts, once each by default
 */
export function vocMetrics(matches: VocMatches, rule: VocRule, multiplicities?: Multiplicities): VocMetrics {
  if (rule !== "11-point" && rule !== "area") {
    throw new InputError(`Cannot average precision: rule must be 11-point or area, current value is ${String(rule)}`);
  }
  const byThreshold = matches.categories.map((category) => {
    const targetCount = countTargets(category.targets[0]!, multiplicities);
    const counts = countDetections(category, Infinity, multiplicities);
    return category.outcomes.map((outcomes) => {
      if (targetCount === 0) return NaN;
      const curve = precisionRecall(outcomes, counts, targetCount);
      return rule === "area" ? areaUnderCurve(curve) : precisionAtRecalls(curve, elevenRecalls);
    });
  });
  const categories = byThreshold.map((row) => ({ ap: meanOfNumbers(row), ap50: row[0]!, ap75: row[5]! }));
  return {
    ap: meanOfNumbers(byThreshold.flat()),
    ap50: meanOfNumbers(categories.map(({ ap50 }) => ap50)),
    ap75: meanOfNumbers(categories.map(({ ap75 }) => ap75)),
    categories,
  };
}
