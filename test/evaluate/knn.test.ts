import { describe, expect, it } from "vitest";
import { InputError } from "../../src/errors";
import { tf } from "../../src/engine/tf";
import { knn } from "../../src/evaluate/knn";
import { clouds, featuresOf, reference, stored } from "./reference";

describe("knn", () => {
  const { train, test } = reference.tall;

  it.each(reference.tall.knn)(
    "gives NumPy's result with k = $k and T = $temperature",
    ({ k, temperature, correct }) => {
      const score = knn(stored(train), stored(test), { k, temperature, classCount: 3 });
      expect([...score.correct]).toEqual(correct);
      expect(score).toMatchObject({ k, temperature });
      expect(score.accuracy).toBeCloseTo(correct.reduce((a, b) => a + b) / correct.length, 12);
    },
  );

  it("is blind to the length of features", () => {
    const bank = featuresOf([1, 0, 0, 1], [0, 1]);
    const queries = featuresOf([100, 1, 0.001, 0.1], [0, 1]);
    expect(knn(bank, queries, { k: 1, temperature: 0.1, classCount: 2 }).accuracy).toBe(1);
  });

  it("lets the lower class win where votes are equal", () => {
    const bank = featuresOf([1, 1, 1, 1], [1, 0]);
    const query = featuresOf([1, 1], [0]);
    expect(knn(bank, query, { k: 2, temperature: 0.1, classCount: 2 }).accuracy).toBe(1);
  });

  it("lets a near neighbor outvote two far ones only when T is small", () => {
    const bank = featuresOf([1, 0, 0.6, 0.8, 0.6, 0.8], [0, 1, 1]);
    const query = featuresOf([1, 0], [0]);
    const accuracyAt = (temperature: number) => knn(bank, query, { k: 3, temperature, classCount: 2 }).accuracy;
    expect(accuracyAt(0.001)).toBe(1); // exp(1 / T) by itself would overflow
    expect(accuracyAt(0.1)).toBe(1);
    expect(accuracyAt(10)).toBe(0);
  });

  it("gives the same result in chunks as at once", () => {
    // 20,000 neighbors allow 838 queries at once, so 1,000 take two chunks.
    const bank = clouds(1, 20_000);
    const queries = clouds(2, 1000);
    const options = { k: 20, temperature: 0.1, classCount: 3 };
    const whole = knn(bank, queries, options).correct;
    const tail = featuresOf(queries.values.subarray(2 * 800), queries.labels.subarray(800));
    expect([...whole.subarray(800)]).toEqual([...knn(bank, tail, options).correct]);
  });

  it("leaves no tensor behind", () => {
    const before = tf.memory().numTensors;
    knn(stored(train), stored(test), { k: 5, temperature: 0.1, classCount: 3 });
    expect(tf.memory().numTensors).toBe(before);
  });

  it("says what is wrong with its input", () => {
    const bank = featuresOf([1, 0, 0, 1], [0, 1]);
    const run = (options: object, queries = bank) =>
      knn(bank, queries, { k: 1, temperature: 0.1, classCount: 2, ...options });
    expect(() => run({ k: 3 })).toThrow(
      new InputError(
        "Cannot find neighbors: k must be an integer from 1 to 2, the number of training images, current value is 3",
      ),
    );
    expect(() => run({ temperature: 0 })).toThrow("temperature must be positive, current value is 0");
    expect(() => run({ classCount: 1 })).toThrow("labels must be from 0 to 0, current value at image 1 is 1");
    expect(() => run({}, featuresOf([1, 2, 3], [0]))).toThrow("dimension must be 2, as in train, current value is 3");
    expect(() => run({}, featuresOf([1, NaN], [0]))).toThrow("current value at image 0 is NaN");
    expect(() => run({}, featuresOf([], []))).toThrow("at least one image");
    expect(() => run({}, { ...bank, values: new Float32Array(3) })).toThrow("need 4 values, current length is 3");
    expect(() => run({}, { ...bank, groups: new Int32Array(1) })).toThrow("as many groups, current length is 1");
    expect(() => run({}, { ...bank, twins: new Int32Array(1) })).toThrow("as many twins, current length is 1");
  });
});
