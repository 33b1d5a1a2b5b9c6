import { InputError } from "../errors";
import { randomStream } from "../engine/random";
import { meanOf, standardErrorOf } from "./mean";
import { studentQuantile } from "./student-t";

/** Settings of a bootstrap. */
export interface BootstrapOptions {
  readonly seed: number;
  /** Number of resamples. @default 2000 */
  readonly draws?: number;
  /** Coverage that the interval aims at. @default 0.95 */
  readonly level?: number;
}

/** A mean with its interval. `kind` says what would vary: the images of the test set, or the seed of training. */
export interface Interval {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
  readonly kind: "test sampling" | "seeds";
}

/** The difference of two means over the same images, with its interval. */
export interface DifferenceInterval {
  readonly difference: number;
  readonly low: number;
  readonly high: number;
  readonly kind: "test sampling";
}

/**
 * Percentile bootstrap of a mean that resamples groups of images, not images: variants of one emoji are right and wrong
 * together, so an interval over single images is too narrow (Davison and Hinkley, "Bootstrap Methods", 1997, sections 3.8 and 5.3).
 *
 * @param correct - 1 where an image is right, else 0
 * @param groups - the group of each image
 * @throws {InputError} if lengths differ or there are fewer than two groups
 */
export function groupBootstrap(
  correct: ArrayLike<number>,
  groups: ArrayLike<number>,
  options: BootstrapOptions,
): Interval {
  return { mean: meanOf(correct), ...resampledMean(correct, groups, options), kind: "test sampling" };
}

/**
 * As `groupBootstrap`, for how much better `a` is than `b` on the same images. The interval leaves out zero where the two
 * differ by more than the choice of test images explains.
 *
 * @param a - 1 where the first is right on an image, else 0
 * @param b - the same of the second
 * @throws {InputError} if lengths differ or there are fewer than two groups
 */
export function pairedGroupBootstrap(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  groups: ArrayLike<number>,
  options: BootstrapOptions,
): DifferenceInterval {
  if (a.length !== b.length) {
    throw new InputError(
      `Cannot compare two results: both must be of the same images, current lengths are ${a.length} and ${b.length}`,
    );
  }
  const differences = Array.from(a, (value, image) => value - b[image]!);
  return { difference: meanOf(differences), ...resampledMean(differences, groups, options), kind: "test sampling" };
}

/**
 * Student's t interval of a mean over runs that differ in their seed.
 *
 * @param values - one for each seed
 * @returns undefined for fewer than 3 values: they say too little of their spread
 */
export function seedInterval(values: readonly number[], level = 0.95): Interval | undefined {
  checkLevel(level);
  if (values.length < 3) return undefined;
  const mean = meanOf(values);
  const reach = studentQuantile((1 + level) / 2, values.length - 1) * standardErrorOf(values);
  return { mean, low: mean - reach, high: mean + reach, kind: "seeds" };
}

function resampledMean(
  values: ArrayLike<number>,
  groups: ArrayLike<number>,
  { seed, draws = 2000, level = 0.95 }: BootstrapOptions,
): { readonly low: number; readonly high: number } {
  checkLevel(level);
  if (!Number.isInteger(draws) || draws < 1) {
    throw new InputError(`Cannot draw an interval: draws must be a positive integer, current value is ${draws}`);
  }
  const { sums, counts } = totals(values, groups);
  const random = randomStream(seed, "bootstrap");
  const means = Float64Array.from({ length: draws }, () => {
    let sum = 0;
    let count = 0;
    for (let drawn = 0; drawn < sums.length; drawn++) {
      const group = random.integer(sums.length);
      sum += sums[group]!;
      count += counts[group]!;
    }
    return sum / count;
  }).sort();
  return { low: quantile(means, (1 - level) / 2), high: quantile(means, (1 + level) / 2) };
}

/** Sum of values and number of images of each group. */
function totals(values: ArrayLike<number>, groups: ArrayLike<number>) {
  if (values.length !== groups.length) {
    throw new InputError(
      `Cannot draw an interval: every image needs a group, current lengths are ${values.length} and ${groups.length}`,
    );
  }
  const places = new Map<number, number>();
  const sums: number[] = [];
  const counts: number[] = [];
  for (let image = 0; image < values.length; image++) {
    const place = places.get(groups[image]!) ?? places.size;
    places.set(groups[image]!, place);
    sums[place] = (sums[place] ?? 0) + values[image]!;
    counts[place] = (counts[place] ?? 0) + 1;
  }
  if (sums.length < 2) {
    throw new InputError(`Cannot draw an interval: there must be at least two groups, current count is ${sums.length}`);
  }
  return { sums, counts };
}

/** Linear interpolation between the order statistics of sorted values. */
export function quantile(sorted: Float64Array, probability: number): number {
  const place = probability * (sorted.length - 1);
  const below = sorted[Math.floor(place)]!;
  return below + (place % 1) * (sorted[Math.ceil(place)]! - below);
}

function checkLevel(level: number): void {
  if (!(level > 0 && level < 1)) {
    throw new InputError(`Cannot draw an interval: level must be between 0 and 1, current value is ${level}`);
  }
}
