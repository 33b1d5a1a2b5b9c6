import { describe, expect, it } from "vitest";
import { tf } from "../../src/engine/tf";
import { flatten, ParameterVector } from "../../src/nn/parameters";

const entries = [
  { name: "a.weight", shape: [2, 2] },
  { name: "a.bias", shape: [3] },
];
const vector = (first = 0) => tf.tensor1d([0, 1, 2, 3, 4, 5, 6].map((value) => first + value));

describe("ParameterVector", () => {
  it("cuts the vector into named tensors, and flatten joins them again", () => {
    const parameters = new ParameterVector(entries, vector());
    expect(parameters.size).toBe(7);
    expect(parameters.tensor("a.weight").arraySync()).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect(parameters.tensor("a.bias").arraySync()).toEqual([4, 5, 6]);
    const joined = flatten(parameters.tensors);
    expect(joined.dataSync()).toEqual(parameters.values.dataSync());
    joined.dispose();
    parameters.dispose();
  });

  it("replaces all values, disposes the old ones, and lives through a tidy", () => {
    const before = tf.memory().numTensors;
    const parameters = new ParameterVector(entries, vector());
    const held = tf.memory().numTensors;
    for (let step = 1; step <= 3; step++) tf.tidy(() => parameters.replace(vector(10 * step)));
    expect(tf.memory().numTensors).toBe(held);
    expect(parameters.tensor("a.bias").arraySync()).toEqual([34, 35, 36]);
    parameters.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it("refuses a vector of another size, and a name it does not have", () => {
    const parameters = new ParameterVector(entries, vector());
    const wrong = tf.zeros<tf.Rank.R1>([6]);
    expect(() => parameters.replace(wrong)).toThrow("Cannot replace 7 parameters: the new vector has 6");
    expect(() => parameters.tensor("b.weight")).toThrow('no such name, "b.weight"');
    tf.dispose(wrong);
    parameters.dispose();
  });
});
