import { describe, expect, it } from "vitest";
import { tf } from "../../src/engine/tf";
import { ParameterVector } from "../../src/nn/parameters";
import { Sgd } from "../../src/train/sgd";
import { relativeError } from "../engine/double-precision";
import { hashed } from "../weights/hashed";
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
    const optimizer = Sgd.create(parameters);
    const held = tf.memory().numTensors;
    fixture.sgd.forEach(({ rate, parameters: values, velocity }, step) => {
      const gradient = tf.tensor1d(hashed(10 + step, 6, -1, 1));
      optimizer.apply(parameters, gradient, { learningRate: rate, momentum: 0.9, weightDecay: 0.05 });
      gradient.dispose();
      expect(relativeError(parameters.values.dataSync(), values)).toBeLessThan(1e-6);
      expect(relativeError(optimizer.velocity.dataSync(), velocity)).toBeLessThan(1e-6);
      expect(tf.memory().numTensors).toBe(held);
    });
    optimizer.dispose();
    parameters.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it("decays each number by its own, where there is one for each", () => {
    const parameters = new ParameterVector([{ name: "w", shape: [3] }], tf.tensor1d([1, 2, 4]));
    const [gradient, weightDecay] = [tf.zeros<tf.Rank.R1>([3]), tf.tensor1d([0, 0.5, 0.25])];
    const optimizer = Sgd.create(parameters);
    optimizer.apply(parameters, gradient, { learningRate: 0.5, momentum: 0, weightDecay });
    expect([...parameters.values.dataSync()]).toEqual([1, 1.5, 3.5]);
    optimizer.dispose();
    parameters.dispose();
    tf.dispose([gradient, weightDecay]);
  });
});
