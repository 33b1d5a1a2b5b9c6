import type { BatchShape } from "../model/batch-layout";

// Recording takes about as long as four steps operation by operation, and saves nearly half of each later one.
const [fewest, leastShare] = [20, 0.1];

/**
 * Shapes that are worth a recording: those that at least 20 batches have, and a tenth of all, so that there are never more
 * than 10.
 *
 * @param shapes - of all batches, or of a known part of them
 */
export function commonShapes(shapes: readonly BatchShape[]): BatchShape[] {
  const counts = new Map<string, { readonly shape: BatchShape; count: number }>();
  for (const shape of shapes) {
    const known = counts.get(shape.join()) ?? { shape, count: 0 };
    counts.set(shape.join(), known);
    known.count++;
  }
  const least = Math.max(fewest, leastShare * shapes.length);
  return [...counts.values()].filter(({ count }) => count >= least).map(({ shape }) => shape);
}
