import { describe, expect, it } from "vitest";
import { randomStream } from "../../src/engine/random";
import { tf } from "../../src/engine/tf";
import { contrastLogits, infoNCE } from "../../src/methods/losses";
import { createMoco, disposeMoco, mocoStep, type MocoConfig } from "../../src/methods/moco";
import { KeyQueue } from "../../src/methods/queue";
import { hashedImages } from "../weights/hashed";

const config: MocoConfig = {
  encoder: { architecture: "resnet18", width: 2, stem: "cifar", head: "linear", dimension: 4 },
  queueSize: 24,
  momentum: 0.9,
  temperature: 0.07,
  bnGroups: 1,
};

/** InfoNCE of random unit vectors: queries, keys and negatives know nothing of each other. */
function lossOfRandomVectors(K: number, dimension: number, temperature: number, queries: number): number {
  const random = randomStream(1, "chance");
  const [q, k, negatives] = [queries, queries, K].map((rows) => KeyQueue.random(rows, dimension, random));
  const loss = tf.tidy(() => infoNCE(contrastLogits(q!.keys, k!.keys, { negatives: negatives!.keys, temperature })));
  const value = loss.arraySync();
  loss.dispose();
  for (const vectors of [q, k, negatives]) vectors!.dispose();
  return value;
}

/** Mean of exp(s / T) for the cosine s of two random directions, by its power series. */
function meanExponential(dimension: number, temperature: number): number {
  let term = 1;
  let sum = 1;
  for (let n = 0; term > 1e-12 * sum; n++) {
    term *= (2 * n + 1) / (dimension + 2 * n) / ((2 * n + 1) * (2 * n + 2) * temperature ** 2);
    sum += term;
  }
  return sum;
}

describe("the loss of chance", () => {
  it("is ln(K + 1) for an encoder that gives every image the same vector", () => {
    const moco = createMoco(config, { encoder: randomStream(1, "encoder"), queue: randomStream(1, "queue") });
    for (const { parameters } of [moco.queryEncoder, moco.keyEncoder]) {
      // All weights 0, so that only the bias of the head, which stands last, is left.
      const { dimension } = config.encoder;
      parameters.replace(tf.concat1d([tf.zeros([parameters.size - dimension]), tf.ones([dimension])]));
    }
    const [queryView, keyView] = [hashedImages(1, 8, 8), hashedImages(2, 8, 8)];
    const losses = [1, 2, 3, 4].map(() => {
      const { loss, accuracy, gradients } = mocoStep(moco, { queryView, keyView });
      const value = loss.arraySync();
      tf.dispose([loss, accuracy, ...gradients]);
      return value;
    });
    // The first three batches replace the random keys that the queue starts with.
    expect(losses[3]).toBeCloseTo(Math.log(config.queueSize + 1), 5);
    tf.dispose([queryView, keyView]);
    disposeMoco(moco);
  });

  it.each([
    [1, 4096, 128],
    [0.2, 4096, 128],
    [0.07, 4096, 128],
    [0.5, 255, 16],
  ])(
    "is ln(K + 1) and the logarithm of the mean of exp(s / T) for random vectors: T = %f, K = %i, C = %i",
    (T, K, C) => {
      const queries = 2000;
      const expected = Math.log(K + 1) + Math.log(meanExponential(C, T));
      // The positive's logit has mean 0 and standard deviation 1 / (T sqrt(C)): four standard errors.
      const error = 4 / (T * Math.sqrt(C) * Math.sqrt(queries));
      expect(Math.abs(lossOfRandomVectors(K, C, T, queries) - expected)).toBeLessThan(error);
    },
  );

  it("comes down to ln(K + 1) as the temperature rises", () => {
    expect(lossOfRandomVectors(255, 16, 1000, 200)).toBeCloseTo(Math.log(256), 3);
  });
});
