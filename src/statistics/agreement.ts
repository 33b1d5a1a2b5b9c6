import { pairedGroupBootstrap, seedInterval } from "./intervals";
import { meanOf } from "./mean";

/** Seeds from which a verdict is given: fewer say too little of how much training varies. */
export const verdictSeeds = 3;

/** One metric of one cell, image by image, for each seed. */
export interface SeededScores {
  /** 0 or 1 for each test image; a list for each seed, in the same order of seeds in all cells. */
  readonly correct: readonly ArrayLike<number>[];
  /** Group of each of these images. */
  readonly groups: ArrayLike<number>;
}

/** How a cell differs from the reference cell, here and in the paper. */
export interface Agreement {
  /** Ours: accuracy of the cell minus that of the reference, 0 to 1. */
  readonly difference: number;
  readonly low: number;
  readonly high: number;
  readonly kind: "test sampling" | "seeds";
  readonly verdict: string;
}

/**
 * Compares the sign of a difference with the published one. Computed, never typed.
 *
 * With three seeds or more: "agrees", "disagrees" or "not separated", by Student's interval of the difference paired by
 * seed. With fewer: "same direction", "opposite" or "within noise", by the bootstrap over groups of test images, and the
 * words "no verdict", because a second seed might say otherwise.
 *
 * @param published - the paper's difference; only its sign counts; undefined where the paper has no such row
 */
export function agreement(cell: SeededScores, reference: SeededScores, published: number | undefined): Agreement {
  const seeds = Math.min(cell.correct.length, reference.correct.length);
  const differences = cell.correct
    .slice(0, seeds)
    .map((correct, seed) => meanOf(correct) - meanOf(reference.correct[seed]!));
  const overSeeds = seeds >= verdictSeeds ? seedInterval(differences) : undefined;
  const interval = overSeeds
    ? { difference: overSeeds.mean, low: overSeeds.low, high: overSeeds.high, kind: overSeeds.kind }
    : pairedGroupBootstrap(
        meanBySeed(cell.correct.slice(0, seeds)),
        meanBySeed(reference.correct.slice(0, seeds)),
        cell.groups,
        {
          seed: 0,
        },
      );
  return { ...interval, verdict: verdictOf(interval, published, seeds) };
}

/**
 * What an interval says of the paper's sign.
 *
 * @param published - the paper's difference; undefined where the paper has none
 * @param seeds - that the interval rests on
 */
export function verdictOf(
  { difference, low, high }: { readonly difference: number; readonly low: number; readonly high: number },
  published: number | undefined,
  seeds: number,
): string {
  if (published === undefined) return "the paper has no such row";
  const separated = low > 0 || high < 0;
  const same = Math.sign(difference) === Math.sign(published);
  if (seeds >= verdictSeeds) return separated ? (same ? "agrees" : "disagrees") : "not separated";
  const direction = separated ? (same ? "same direction" : "opposite") : "within noise";
  return `${direction}; ${seeds === 1 ? "one seed" : "two seeds"}: no verdict`;
}

/** Mean over seeds of each image's score. */
export function meanBySeed(scores: readonly ArrayLike<number>[]): Float64Array {
  return Float64Array.from(
    scores[0]!,
    (_, image) => scores.reduce((sum, correct) => sum + correct[image]!, 0) / scores.length,
  );
}
