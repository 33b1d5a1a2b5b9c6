import { describe, expect, it } from "vitest";
import { tf } from "../../src/engine/tf";
import { ParameterVector } from "../../src/nn/parameters";
import { Sgd } from "../../src/train/sgd";
import { relativeError } from "../engine/double-precision";
import { hashed } from "../nn/hashed";
import fixture from "./fixtures/pytorch.json";

describe("Sgd", () => {
  it("moves as torch.optim.SGD with momentum and weight decay, and keeps the number of tensors", () => {
    const before = tf.memory().numTensors;
    const parameters = new ParameterVector(
      [
        { name: "weight", shape: [2, 2] },
        { name: "bias", shape: [2] },
      ],
      tf.tensor1d(hashed(1, 6, -1, 1)),
    );
    const optimiser = Sgd.create(parameters);
    const held = tf.memory().numTensors;
    fixture.sgd.forEach(({ rate, parameters: values, velocity }, step) => {
      const gradient = tf.tensor1d(hashed(10 + step, 6, -1, 1));
      optimiser.apply(parameters, gradient, { learningRate: rate, momentum: 0.9, weightDecay: 0.05 });
      gradient.dispose();
      expect(relativeError(parameters.values.dataSync(), values)).toBeLessThan(1e-6);
      expect(relativeError(optimiser.velocity.dataSync(), velocity)).toBeLessThan(1e-6);
      expect(tf.memory().numTensors).toBe(held);
    });
    optimiser.dispose();
    parameters.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});
