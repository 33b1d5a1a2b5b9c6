import { tf } from "../engine/tf";
import type { Features } from "./features";

/** Similarities held at once, 64 MB of them: 50,000 neighbors by 10,000 images would take 2 GB. */
const SIMILARITIES_AT_ONCE = 1 << 24;

/**
 * Calls `visit` for each query with its `k` nearest of the bank by cosine similarity, nearest first.
 * The work goes in chunks of queries, so memory stays bounded whatever the sizes.
 */
export function forNearest(
  bank: Features,
  queries: Features,
  k: number,
  visit: (query: number, similarities: Float32Array, neighbors: Int32Array) => void,
): void {
  const { dimension } = bank;
  const queryCount = queries.labels.length;
  const unitQueries = unitLength(queries);
  const chunk = Math.max(1, Math.floor(SIMILARITIES_AT_ONCE / bank.labels.length));
  const unitBank = tf.tensor2d(unitLength(bank), [bank.labels.length, dimension]);
  try {
    for (let start = 0; start < queryCount; start += chunk) {
      const end = Math.min(start + chunk, queryCount);
      const nearest = tf.tidy(() => {
        const rows = tf.tensor2d(unitQueries.subarray(start * dimension, end * dimension), [end - start, dimension]);
        return tf.topk(tf.matMul(rows, unitBank, false, true), k);
      });
      const similarities = nearest.values.dataSync<"float32">();
      const neighbors = nearest.indices.dataSync<"int32">();
      tf.dispose([nearest.values, nearest.indices]);
      for (let row = 0; row < end - start; row++) {
        visit(start + row, similarities.subarray(row * k, (row + 1) * k), neighbors.subarray(row * k, (row + 1) * k));
      }
    }
  } finally {
    unitBank.dispose();
  }
}

/**
 * The features divided by their length (Euclidean norm), so that a dot product is a cosine similarity.
 * A feature of zeros stays zero.
 *
 * @returns [count, dimension], row-major
 */
function unitLength(features: Features): Float32Array {
  const { values, dimension } = features;
  const normalized = new Float32Array(values.length);
  for (let start = 0; start < values.length; start += dimension) {
    let square = 0;
    for (let at = start; at < start + dimension; at++) square += values[at]! ** 2;
    const length = Math.max(Math.sqrt(square), 1e-12);
    for (let at = start; at < start + dimension; at++) normalized[at] = values[at]! / length;
  }
  return normalized;
}
