import { describe, expect, it } from "vitest";
import { tf } from "../../src/engine/tf";
import { contrastAccuracy, contrastLogits, infoNCE } from "../../src/methods/losses";
import { l2Normalize } from "../../src/nn/encoder";
import { relativeError } from "../engine/double-precision";
import { hashed } from "../weights/hashed";

const unitVectors = (seed: number, count: number, dimension = 5) =>
  tf.tidy(() => l2Normalize(tf.tensor2d(hashed(seed, count * dimension, -1, 1), [count, dimension])));

describe("contrastLogits", () => {
  it("has the positive's similarity in column 0, the queue's behind it, divided by the temperature", () => {
    const logits = tf.tidy(() =>
      contrastLogits(
        tf.tensor2d([
          [1, 0],
          [0, 1],
        ]),
        tf.tensor2d([
          [0.6, 0.8],
          [0.8, -0.6],
        ]),
        {
          negatives: tf.tensor2d([
            [1, 0],
            [0, -1],
            [0.6, 0.8],
          ]),
          temperature: 0.5,
        },
      ).arraySync(),
    );
    expect(relativeError(logits.flat(), [1.2, 2, 0, 1.2, -1.2, 0, -2, 1.6])).toBeLessThan(1e-6);
  });
});

describe("infoNCE", () => {
  it("is equation 1, written out", () => {
    const [queries, keys, negatives] = [unitVectors(1, 4), unitVectors(2, 4), unitVectors(3, 6)];
    const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
    const [q, k, n] = [queries.arraySync(), keys.arraySync(), negatives.arraySync()];
    const temperature = 0.07;
    const losses = q.map((query, i) => {
      const positive = Math.exp(dot(query, k[i]!) / temperature);
      const sum = n.reduce((total, key) => total + Math.exp(dot(query, key) / temperature), positive);
      return -Math.log(positive / sum);
    });
    const expected = losses.reduce((sum, loss) => sum + loss / 4, 0);
    const actual = tf.tidy(() => infoNCE(contrastLogits(queries, keys, { negatives, temperature })).arraySync());
    expect(Math.abs(actual / expected - 1)).toBeLessThan(1e-5);
    tf.dispose([queries, keys, negatives]);
  });

  it.each([1, 255, 65_536])("of chance is ln(K + 1), K = %i", (K) => {
    const loss = tf.tidy(() => infoNCE(tf.fill([3, K + 1], 2)).arraySync());
    expect(loss).toBeCloseTo(Math.log(K + 1), 4);
  });

  it("stays finite where exponentials would overflow", () => {
    // Unit vectors at temperature 0.001: logits up to 1000.
    const loss = tf.tidy(() => infoNCE(tf.tensor2d([[-1000, 1000, 0]])).arraySync());
    expect(loss).toBe(2000);
  });

  it("has the gradient softmax minus one-hot, over the batch size", () => {
    const logits = tf.tensor2d([
      [1, 2, 3],
      [0, 0, 0],
    ]);
    const gradient = tf.tidy(() =>
      tf
        .grad((x: tf.Tensor) => infoNCE(x as tf.Tensor2D))(logits)
        .dataSync(),
    );
    const sum = Math.exp(1) + Math.exp(2) + Math.exp(3);
    const expected = [Math.exp(1) / sum - 1, Math.exp(2) / sum, Math.exp(3) / sum, -2 / 3, 1 / 3, 1 / 3];
    expect(
      relativeError(
        gradient,
        expected.map((value) => value / 2),
      ),
    ).toBeLessThan(1e-6);
    logits.dispose();
  });
});

describe("contrastAccuracy", () => {
  it("is the share of queries whose own key is nearest", () => {
    const accuracy = tf.tidy(() =>
      contrastAccuracy(
        tf.tensor2d([
          [3, 1, 2],
          [1, 2, 0],
          [0, -1, -2],
          [5, 9, 9],
        ]),
      ).arraySync(),
    );
    expect(accuracy).toBe(0.5);
  });
});
