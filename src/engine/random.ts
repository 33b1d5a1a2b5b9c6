import { createHash } from "node:crypto";
import { xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";
import type { RandomGenerator } from "pure-rand/types/RandomGenerator";

/** What distinguishes one stream from another, for example `("shuffle", epoch)`. */
export type StreamPath = readonly (string | number)[];

/** A stream of pseudo-random numbers. The same seed and path give the same numbers on every machine. */
export interface Random {
  /** A number drawn uniformly from [low, high), [0, 1) by default. */
  uniform(low?: number, high?: number): number;
  /** An integer drawn uniformly from 0 to `count - 1`. */
  integer(count: number): number;
  /** A number drawn from the normal distribution of mean 0 and standard deviation 1. */
  normal(): number;
  /** The integers 0 to `count - 1` in random order (Fisher and Yates). */
  permutation(count: number): Int32Array;
}

/**
 * A random stream named by a seed and a path.
 *
 * Streams are addressed rather than carried along: the augmentation of step 1,000 is `randomStream(seed, "augment", 1000)`
 * whatever was drawn before it. So a checkpoint needs only the seed and the step to go on with the same numbers.
 *
 * The words of a path are part of every recorded run: another word is another training.
 *
 * @param seed - the seed of the run, an integer
 * @param path - what the numbers are for
 */
export function randomStream(seed: number, ...path: StreamPath): Random {
  const digest = createHash("sha256")
    .update(JSON.stringify([seed, ...path]))
    .digest();
  const state = [0, 4, 8, 12].map((offset) => digest.readInt32LE(offset));
  return new Stream(xoroshiro128plusFromState(state));
}

class Stream implements Random {
  private spare: number | undefined;

  constructor(private readonly generator: RandomGenerator) {}

  uniform(low = 0, high = 1): number {
    // 53 bits, the precision of a double.
    const top = this.generator.next() >>> 5;
    const bottom = this.generator.next() >>> 6;
    return low + (high - low) * ((top * 67108864 + bottom) / 9007199254740992);
  }

  integer(count: number): number {
    return Math.floor(this.uniform() * count);
  }

  normal(): number {
    if (this.spare !== undefined) {
      const spare = this.spare;
      this.spare = undefined;
      return spare;
    }
    // Box and Muller; 1 - u lies in (0, 1], so the logarithm is finite.
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    const angle = 2 * Math.PI * this.uniform();
    this.spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  permutation(count: number): Int32Array {
    const order = Int32Array.from({ length: count }, (_, index) => index);
    for (let last = count - 1; last > 0; last--) {
      const other = this.integer(last + 1);
      const kept = order[last]!;
      order[last] = order[other]!;
      order[other] = kept;
    }
    return order;
  }
}
