import { batchesPerEpoch, batchIndices } from "../data/batches";
import type { ImageSet } from "../data/image-set";
import type { QueueOverlap } from "./run-record";

/** What of a recipe says which keys meet which queries. */
export interface QueueFlow {
  readonly queueSize: number;
  readonly batchSize: number;
  readonly epochs: number;
}

/**
 * How much of the queue is no true negative: the share of its keys that come from the query's own image (of an epoch
 * before), from its twin, and from its class. Means over the queries of a training, from when the queue is full.
 *
 * Exact: the order of the images is a function of the seed, so it is gone through again without training.
 */
export function queueOverlap(train: ImageSet, { queueSize, batchSize, epochs }: QueueFlow, seed: number): QueueOverlap {
  const { labels, twins, classes } = train;
  const steps = epochs * batchesPerEpoch(train, batchSize);
  const queue: Int32Array[] = [];
  const inQueue = new Int32Array(labels.length);
  const classInQueue = new Int32Array(classes.length);
  const count = (indices: Int32Array, change: 1 | -1) =>
    indices.forEach((index) => {
      inQueue[index]! += change;
      classInQueue[labels[index]!]! += change;
    });
  const sums = { own: 0, twin: 0, sameClass: 0, queries: 0 };
  for (let step = 0; step < steps; step++) {
    const indices = batchIndices(train, batchSize, seed, step);
    if (queue.length * batchSize === queueSize) {
      for (const index of indices) {
        sums.own += inQueue[index]!;
        const twin = twins?.[index] ?? -1;
        if (twin >= 0) sums.twin += inQueue[twin]!;
        sums.sameClass += classInQueue[labels[index]!]!;
      }
      sums.queries += indices.length;
      count(queue.shift()!, -1);
    }
    queue.push(indices);
    count(indices, 1);
  }
  const share = (sum: number) => (sums.queries === 0 ? 0 : sum / (sums.queries * queueSize));
  return { own: share(sums.own), twin: twins && share(sums.twin), sameClass: share(sums.sameClass) };
}
