import { describe, expect, it } from "vitest";
import { batchIndices } from "../../src/data/batches";
import type { ImageSet } from "../../src/data/image-set";
import { queueOverlap } from "../../src/runs/queue-overlap";
import { tinyRecipe } from "../train/tiny";

/** Images of one pixel: only labels and twins count here. */
function images(labels: readonly number[], twins: readonly number[] | undefined): ImageSet {
  return {
    name: "made/train",
    size: 1,
    pixels: new Uint8Array(labels.length * 3),
    labels: Int32Array.from(labels),
    classes: ["first", "second"],
    groups: Int32Array.from(labels.keys()),
    twins: twins && Int32Array.from(twins),
    ids: labels.map((_, index) => `${index}`),
  };
}

/** A recipe of batches of 2; its network counts for nothing here. */
function recipe(queueSize: number, epochs: number) {
  return { ...tinyRecipe(), batchSize: 2, bnGroups: 1, queueSize, epochs };
}

/** The same shares as plainly as can be: the last K keys of all that came before, compared one by one. */
function byBruteForce(set: ImageSet, queueSize: number, steps: number, seed: number) {
  const order = Array.from({ length: steps }, (_, step) => [...batchIndices(set, 2, seed, step)]).flat();
  const pairs = order.flatMap((query, at) => {
    const start = at - (at % 2);
    return start < queueSize ? [] : order.slice(start - queueSize, start).map((key) => ({ query, key }));
  });
  const share = (test: (query: number, key: number) => boolean) =>
    pairs.filter(({ query, key }) => test(query, key)).length / pairs.length;
  return {
    own: share((query, key) => query === key),
    twin: share((query, key) => set.twins![query] === key),
    sameClass: share((query, key) => set.labels[query] === set.labels[key]),
  };
}

const eight = images([0, 0, 0, 1, 1, 1, 1, 1], [4, 5, -1, -1, 0, 1, -1, -1]);

describe("queueOverlap", () => {
  it("finds no query's own image within an epoch, where K is less than an epoch", () => {
    for (const queueSize of [2, 4, 6]) expect(queueOverlap(eight, recipe(queueSize, 1), 3).own).toBe(0);
  });

  it("finds own images of the epoch before", () => {
    expect(queueOverlap(eight, recipe(6, 20), 3).own).toBeGreaterThan(0);
  });

  it("equals a case worked out by hand", () => {
    // Two batches of an epoch of four images: the second batch meets the first, a queue of 2.
    const set = images([0, 0, 1, 1], [1, 0, 3, 2]);
    const [a, b] = batchIndices(set, 2, 1, 0) as unknown as [number, number];
    const pairIsOneClass = set.labels[a] === set.labels[b];
    // Twins have one class here. If the first batch is a pair of twins, the second has none of them, of no class of
    // theirs; if not, each query of the second finds its twin among the two keys: half of them.
    const share = pairIsOneClass ? 0 : 0.5;
    expect(queueOverlap(set, recipe(2, 1), 1)).toEqual({ own: 0, twin: share, sameClass: share });
  });

  it("meets both orders of that case over the seeds", () => {
    const set = images([0, 0, 1, 1], [1, 0, 3, 2]);
    const shares = new Set(Array.from({ length: 20 }, (_, seed) => queueOverlap(set, recipe(2, 1), seed).twin));
    expect([...shares].sort()).toEqual([0, 0.5]);
  });

  it("equals a comparison of every query with every key, over epochs", () => {
    for (const queueSize of [2, 6, 8]) {
      const exact = queueOverlap(eight, recipe(queueSize, 5), 7);
      const plain = byBruteForce(eight, queueSize, 5 * 4, 7);
      expect(exact.own).toBeCloseTo(plain.own, 12);
      expect(exact.twin).toBeCloseTo(plain.twin, 12);
      expect(exact.sameClass).toBeCloseTo(plain.sameClass, 12);
    }
  });

  it("counts an image as often as the queue holds it, where K is above N", () => {
    const exact = queueOverlap(eight, recipe(24, 8), 7); // three epochs long
    expect(exact.own).toBeCloseTo(byBruteForce(eight, 24, 8 * 4, 7).own, 12);
    // Of three epochs of keys the queue always holds at least two whole ones.
    expect(exact.own).toBeGreaterThanOrEqual(2 / 24);
    expect(exact.own).toBeLessThanOrEqual(4 / 24);
  });

  it("is 0 where training ends before the queue is full", () => {
    expect(queueOverlap(eight, recipe(24, 1), 7)).toEqual({ own: 0, twin: 0, sameClass: 0 });
  });

  it("knows no twins where the data have none", () => {
    expect(queueOverlap(images([0, 0, 1, 1], undefined), recipe(2, 2), 1).twin).toBeUndefined();
  });
});
