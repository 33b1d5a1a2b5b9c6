import { InputError } from "../engine/errors";
import { randomStream } from "../engine/random";
import { quantile } from "./intervals";
import { meanOf } from "./score";

/** Draws of the pictures of a test set, with replacement: how often each picture counts in each draw. */
export type PictureDraws = readonly Uint16Array[];

/** A figure of one run, such as AP, which is no mean over pictures. */
export interface ResampledFigure {
  /** On the test set as it is. */
  readonly value: number;
  /** On each draw of its pictures. */
  readonly drawn: Float64Array;
}

/** An estimate with its interval, over seeds and test pictures. */
export interface TwoLevelInterval {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
  readonly seeds: number;
}

/** Share of the draws that an interval holds. */
const level = 0.95;

/**
 * Draws the pictures of a test set.
 *
 * @param pictures - how many there are
 * @param draws - how often they are drawn
 */
export function drawPictures(pictures: number, draws: number, seed: number): PictureDraws {
  return Array.from({ length: draws }, (_, draw) => {
    const random = randomStream(seed, "pictures", draw);
    const counts = new Uint16Array(pictures);
    for (let drawn = 0; drawn < pictures; drawn++) counts[random.integer(pictures)]!++;
    return counts;
  });
}

/**
 * Percentile interval of the mean of a figure over seeds: each draw takes seeds with replacement and, for all of them, one
 * draw of the pictures (Davison and Hinkley, "Bootstrap Methods", 1997, section 3.8). Seeds share their pictures, since all
 * runs are read on one test set.
 *
 * A handful of seeds is drawn from itself: with 3, the part of the width that comes from seeds is too small by about a fifth.
 *
 * @param runs - one a seed, with the same picture draws
 * @throws InputError if there is none, or draws differ in number
 */
export function twoLevelBootstrap(runs: readonly ResampledFigure[], seed: number): TwoLevelInterval {
  const [first] = runs;
  if (first === undefined || runs.some(({ drawn }) => drawn.length !== first.drawn.length)) {
    throw new InputError(
      `Cannot draw an interval: there must be runs with the same draws of pictures, current lengths are ${runs.map(({ drawn }) => drawn.length).join(", ") || "none"}`,
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
 * As `twoLevelBootstrap`, for how much larger the figure is in `a` than in `b`, paired by seed and by picture: what both
 * have in common, such as a hard picture, falls out.
 *
 * @throws InputError as `twoLevelBootstrap` does, or if the two have another number of seeds
 */
export function pairedTwoLevelBootstrap(
  a: readonly ResampledFigure[],
  b: readonly ResampledFigure[],
  seed: number,
): TwoLevelInterval {
  if (a.length !== b.length) {
    throw new InputError(
      `Cannot pair two results: both must have the same seeds, current counts are ${a.length} and ${b.length}`,
    );
  }
  const differences = a.map(({ value, drawn }, at): ResampledFigure => {
    const other = b[at]!;
    return { value: value - other.value, drawn: drawn.map((one, draw) => one - other.drawn[draw]!) };
  });
  return twoLevelBootstrap(differences, seed);
}
