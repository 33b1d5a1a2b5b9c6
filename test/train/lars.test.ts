import { describe, expect, it } from "vitest";
import { tf } from "../../src/engine/tf";
import { ParameterVector } from "../../src/nn/parameters";
import { Lars } from "../../src/train/lars";
import { relativeError } from "../engine/double-precision";
import { hashed } from "../weights/hashed";
import fixture from "./fixtures/pytorch.json";

const { entries, steps } = fixture.lars;
const sizeOf = (shape: readonly number[]) => tf.util.sizeFromShape([...shape]);
const size = entries.reduce((sum, { shape }) => sum + sizeOf(shape), 0);

/** [start, end) of a tensor in the vector. */
function rangeOf(name: string): [number, number] {
  const index = entries.findIndex((entry) => entry.name === name);
  const start = entries.slice(0, index).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  return [start, start + sizeOf(entries[index]!.shape)];
}

function start(): ParameterVector {
  return new ParameterVector(entries, tf.tensor1d(hashed(1, size, -1, 1).fill(0, ...rangeOf("zero.weight"))));
}

describe("Lars", () => {
  it("moves as SimCLR's optimizer, also without length or gradient, and keeps the number of tensors", () => {
    const before = tf.memory().numTensors;
    const parameters = start();
    const optimizer = Lars.create(parameters);
    const held = tf.memory().numTensors;
    steps.forEach(({ rate, decay, parameters: values, velocity }, step) => {
      const numbers = hashed(10 + step, size, -1, 1);
      if (step === 0) numbers.fill(0, ...rangeOf("still.weight"));
      const gradient = tf.tensor1d(numbers);
      optimizer.apply(parameters, gradient, { learningRate: rate, momentum: 0.9, weightDecay: decay });
      gradient.dispose();
      // Tensor by tensor: the adapted ones move a thousand times less than the others.
      for (const { name } of entries) {
        const range = rangeOf(name);
        const [ours, ourVelocity] = [parameters.values.dataSync(), optimizer.velocity.dataSync()];
        expect(relativeError(ours.slice(...range), values.slice(...range))).toBeLessThan(1e-6);
        if (name === "still.weight" && step === 0) expect(ourVelocity.slice(...range)).toEqual(new Float32Array(4));
        else expect(relativeError(ourVelocity.slice(...range), velocity.slice(...range))).toBeLessThan(2e-6);
      }
      expect(tf.memory().numTensors).toBe(held);
    });
    optimizer.dispose();
    parameters.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it("moves a weight by a thousandth of its length at rate 1, whatever the length of its gradient", () => {
    for (const scale of [1e-3, 1, 1e3]) {
      const parameters = start();
      const optimizer = Lars.create(parameters);
      const gradient = tf.tensor1d(hashed(10, size, -scale, scale));
      optimizer.apply(parameters, gradient, { learningRate: 1, momentum: 0.9, weightDecay: 0 });
      const length = (values: Float32Array) => Math.hypot(...values.slice(...rangeOf("fc.weight")));
      const moved = length(optimizer.velocity.dataSync<"float32">());
      expect(moved / length(hashed(1, size, -1, 1))).toBeCloseTo(0.001, 8);
      tf.dispose(gradient);
      optimizer.dispose();
      parameters.dispose();
    }
  });

  it("neither decays nor adapts biases and batch normalization", () => {
    const parameters = start();
    const optimizer = Lars.create(parameters);
    const numbers = hashed(10, size, -1, 1);
    const gradient = tf.tensor1d(numbers);
    optimizer.apply(parameters, gradient, { learningRate: 0.5, momentum: 0.9, weightDecay: 0.3 });
    const velocity = optimizer.velocity.dataSync<"float32">();
    for (const name of ["bn1.weight", "bn1.bias", "fc.bias"]) {
      const range = rangeOf(name);
      expect(velocity.slice(...range)).toEqual(numbers.slice(...range).map((value) => value * 0.5));
    }
    tf.dispose(gradient);
    optimizer.dispose();
    parameters.dispose();
  });
});
