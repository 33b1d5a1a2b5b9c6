import { InputError } from "../../errors";
import type { Annotation, Detection, DetectionSet } from "../structures/detection-set";

/**
 * The detections of one category by falling score. Of equal scores, the one in the earlier image of the set stands first,
 * then the one given first; this is the order of the official programs, which sort stably.
 */
export interface RankedDetections {
  /** Index of each in the list that was given. */
  readonly index: Int32Array;
  /** Index of the image of each in the set. */
  readonly image: Int32Array;
  /** Place of each among those of its image and category, the best has 0. */
  readonly rank: Int32Array;
}

/**
 * Ranks detections for a metric.
 *
 * @param limit - how many of each image and category are kept
 * @returns one list for each category of the set
 * @throws InputError when a detection names an image or category that the set lacks, or has a box or score that is no number
 */
export function rankDetections(
  set: DetectionSet,
  detections: readonly Detection[],
  limit = Infinity,
): readonly RankedDetections[] {
  const images = Int32Array.from(detections, imageFinder(set));
  const byCategory = set.categories.map((): number[] => []);
  detections.forEach((detection, index) => {
    const list = byCategory[detection.category];
    if (list === undefined) {
      throw new InputError(
        `Cannot evaluate detections: category of detection ${index} must be an integer from 0 to ${set.categories.length - 1}, current value is ${detection.category}`,
      );
    }
    if (!Number.isFinite(detection.score) || !detection.box.every(Number.isFinite)) {
      throw new InputError(
        `Cannot evaluate detections: score and box of detection ${index} must be finite, current values are ${[detection.score, ...detection.box].join(", ")}`,
      );
    }
    list.push(index);
  });
  const scores = Float64Array.from(detections, ({ score }) => score);
  const counts = new Int32Array(set.images.length);
  return byCategory.map((list) => {
    const sorted = Int32Array.from(list).sort(
      (one, other) => scores[other]! - scores[one]! || images[one]! - images[other]! || one - other,
    );
    counts.fill(0);
    const ranks = new Int32Array(sorted.length);
    sorted.forEach((index, place) => (ranks[place] = counts[images[index]!]!++));
    const kept = sorted.filter((_, place) => ranks[place]! < limit);
    return {
      index: kept,
      image: kept.map((index) => images[index]!),
      rank: ranks.filter((rank) => rank < limit),
    };
  });
}

function imageFinder(set: DetectionSet): (detection: Detection, index: number) => number {
  const places = new Map(set.images.map(({ id }, place) => [id, place]));
  return ({ imageId }, index) => {
    const place = places.get(imageId);
    if (place === undefined) {
      throw new InputError(
        `Cannot evaluate detections: imageId of detection ${index} must be that of an image in ${set.name}, current value is ${JSON.stringify(imageId)}`,
      );
    }
    return place;
  };
}

/** The objects of each category: from the index of an image to its objects, in the order of the annotations. */
export function objectsByCategory(set: DetectionSet): readonly ReadonlyMap<number, readonly Annotation[]>[] {
  const byCategory = set.categories.map(() => new Map<number, Annotation[]>());
  set.images.forEach(({ objects }, image) => {
    for (const object of objects) {
      const ofImage = byCategory[object.category]!;
      const list = ofImage.get(image);
      if (list === undefined) ofImage.set(image, [object]);
      else list.push(object);
    }
  });
  return byCategory;
}

/** The places in a ranked list of each image's detections, by falling score. */
export function placesByImage(ranked: RankedDetections): ReadonlyMap<number, readonly number[]> {
  const places = new Map<number, number[]>();
  ranked.image.forEach((image, place) => {
    const list = places.get(image);
    if (list === undefined) places.set(image, [place]);
    else list.push(place);
  });
  return places;
}
