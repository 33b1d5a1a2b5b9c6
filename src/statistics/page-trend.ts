import { InputError } from "../errors";
import { ranks } from "./rank-correlation";

/** Page's test of a trend over ordered conditions. */
export interface PageTrend {
  /** Page's L: the sum over conditions of their place in the order times the sum of their ranks over the blocks. */
  readonly statistic: number;
  /** P(L or more) if each order of the ranks within a block were as likely as any other; exact. */
  readonly p: number;
}

/** Conditions up to which all orders are counted: the work doubles with each. */
const mostConditions = 10;

/**
 * Page's trend test (Page, 1963): do values rise from condition to condition? Blocks, such as seeds, only have to agree on
 * the order, not on the values. The p is exact for any number of blocks, also with ties: it is that of the tied ranks.
 *
 * @param blocks - for each block its values, in the order in which they are expected to rise
 * @throws InputError if there are fewer than 2 blocks, fewer than 3 or more than 10 conditions, or values are missing
 */
export function pageTrend(blocks: readonly (readonly number[])[]): PageTrend {
  const conditions = blocks[0]?.length ?? 0;
  if (blocks.length < 2 || conditions < 3 || conditions > mostConditions) {
    throw new InputError(
      `Cannot test a trend: there must be 2 blocks or more with 3 to ${mostConditions} values, current counts are ${blocks.length} and ${conditions}`,
    );
  }
  if (blocks.some((block) => block.length !== conditions || block.some(Number.isNaN))) {
    throw new InputError(
      `Cannot test a trend: every block must have ${conditions} numbers, current counts are ${blocks.map((block) => block.filter((value) => !Number.isNaN(value)).length).join(", ")}`,
    );
  }
  // Ranks of ties lie halfway between integers.
  const doubled = blocks.map((block) => ranks(block).map((rank) => 2 * rank));
  const statistic = doubled.flat().reduce((sum, rank, at) => sum + rank * ((at % conditions) + 1), 0);
  const chances = doubled.map(chancesOfSums).reduce(ofSum);
  let p = 0;
  for (let sum = chances.length - 1; sum >= statistic; sum--) p += chances[sum]!;
  return { statistic: statistic / 2, p };
}

/** The chance of each sum of place times rank within one block, over all orders of its ranks. */
function chancesOfSums(doubledRanks: readonly number[]): Float64Array {
  const count = doubledRanks.length;
  const largest = [...doubledRanks].sort((a, b) => a - b).reduce((sum, rank, at) => sum + (at + 1) * rank, 0);
  // For each set of ranks, as bits, that stand on the first places: the chance of each sum so far.
  const sets = Array.from({ length: 2 ** count }, () => new Float64Array(0));
  sets[0] = new Float64Array(largest + 1);
  sets[0][0] = 1;
  for (let set = 0; set < sets.length - 1; set++) {
    const free = doubledRanks.flatMap((rank, index) => (set & (1 << index) ? [] : [{ rank, index }]));
    const place = count - free.length + 1;
    for (const { rank, index } of free) {
      const next = set | (1 << index);
      if (sets[next]!.length === 0) sets[next] = new Float64Array(largest + 1);
      const [from, to, shift] = [sets[set]!, sets[next]!, place * rank];
      for (let sum = 0; sum + shift <= largest; sum++) to[sum + shift]! += from[sum]! / free.length;
    }
  }
  return sets.at(-1)!;
}

/** The chances of the sum of two independent sums. */
function ofSum(a: Float64Array, b: Float64Array): Float64Array {
  const chances = new Float64Array(a.length + b.length - 1);
  for (let sum = 0; sum < a.length; sum++) {
    if (a[sum] === 0) continue;
    for (let added = 0; added < b.length; added++) chances[sum + added]! += a[sum]! * b[added]!;
  }
  return chances;
}
