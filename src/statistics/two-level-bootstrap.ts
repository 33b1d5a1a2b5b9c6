import { InputError } from "../errors";
import { randomStream } from "../engine/random";
import { quantile } from "./intervals";
import { meanOf } from "./mean";

/** Draws of the images of a test set, with replacement: how often each image counts in each draw. */
export type ImageDraws = readonly Uint16Array[];

/** A figure of one run, such as AP, which is no mean over images. */
export interface ResampledMetric {
  /** On the test set as it is. */
  readonly value: number;
  /** On each draw of its images. */
  readonly drawn: Float64Array;
}

/** An estimate with its interval, over seeds and test images. */
export interface TwoLevelInterval {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
  readonly seeds: number;
}

/** Share of the draws that an interval holds. */
const level = 0.95;

/**
 * Draws the images of a test set.
 *
 * @param images - how many there are
 * @param draws - how often they are drawn
 */
export function drawImages(images: number, draws: number, seed: number): ImageDraws {
  return Array.from({ length: draws }, (_, draw) => {
    const random = randomStream(seed, "images", draw);
    const counts = new Uint16Array(images);
    for (let drawn = 0; drawn < images; drawn++) counts[random.integer(images)]!++;
    return counts;
  });
}

/**
 * Percentile interval of the mean of a figure over seeds: each draw takes seeds with replacement and, for all of them, one
 * draw of the images (Davison and Hinkley, "Bootstrap Methods", 1997, section 3.8). Seeds share their images, since all
 * runs are read on one test set.
 *
 * A handful of seeds is drawn from itself: with 3, the part of the width that comes from seeds is too small by about a fifth.
 *
 * @param runs - one a seed, with the same image draws
 * @throws InputError if there is none, or draws differ in number
 */
export function twoLevelBootstrap(runs: readonly ResampledMetric[], seed: number): TwoLevelInterval {
  const [first] = runs;
  if (first === undefined || runs.some(({ drawn }) => drawn.length !== first.drawn.length)) {
    throw new InputError(
      `Cannot draw an interval: there must be runs with the same draws of images, current lengths are ${runs.map(({ drawn }) => drawn.length).join(", ") || "none"}`,
    );
  }
  const random = randomStream(seed, "two-level bootstrap");
  const means = Float64Array.from(first.drawn, (_, draw) =>
    meanOf(runs.map(() => runs[random.integer(runs.length)]!.drawn[draw]!)),
  ).sort();
  return {
    mean: meanOf(runs.map(({ value }) => value)),
    low: quantile(means, (1 - level) / 2),
    high: quantile(means, (1 + level) / 2),
    seeds: runs.length,
  };
}

/**
 * As `twoLevelBootstrap`, for how much larger the figure is in `a` than in `b`, paired by seed and by image: what both
 * have in common, such as a hard image, falls out.
 *
 * @throws InputError as `twoLevelBootstrap` does, or if the two have another number of seeds
 */
export function pairedTwoLevelBootstrap(
  a: readonly ResampledMetric[],
  b: readonly ResampledMetric[],
  seed: number,
): TwoLevelInterval {
  if (a.length !== b.length) {
    throw new InputError(
      `Cannot pair two results: both must have the same seeds, current counts are ${a.length} and ${b.length}`,
    );
  }
  const differences = a.map(({ value, drawn }, at): ResampledMetric => {
    const other = b[at]!;
    return { value: value - other.value, drawn: drawn.map((one, draw) => one - other.drawn[draw]!) };
  });
  return twoLevelBootstrap(differences, seed);
}
