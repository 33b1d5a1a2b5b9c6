import { describe, expect, it } from "vitest";
import { tf } from "../../src/engine/tf";
import { gradientsOf } from "../../src/nn/gradients";
import { ParameterVector } from "../../src/nn/parameters";

describe("gradientsOf", () => {
  it("gives the loss and its gradient in the order of the vector", () => {
    const before = tf.memory().numTensors;
    const parameters = new ParameterVector(
      [
        { name: "w", shape: [2, 2] },
        { name: "unused", shape: [1] },
        { name: "b", shape: [2] },
      ],
      tf.tensor1d([1, 2, 3, 4, 9, 5, 6]),
    );
    // loss = sum((x w + b)^2) with x = [1, 10]; its gradient is 2 (x w + b) to b, and x times that to w.
    const { loss, gradients } = gradientsOf([parameters], () => {
      const y = tf.add(tf.matMul(tf.tensor2d([1, 10], [1, 2]), parameters.tensor("w")), parameters.tensor("b"));
      // A term of weight zero: a tensor that the loss does not depend on is an error in tfjs.
      return tf.add(tf.sum(tf.square(y)), tf.mul(0, tf.sum(parameters.tensor("unused"))));
    });
    expect(loss.arraySync()).toBe(36 ** 2 + 48 ** 2);
    expect([...gradients[0]!.dataSync()]).toEqual([72, 96, 720, 960, 0, 72, 96]);
    tf.dispose([loss, ...gradients]);
    parameters.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it("gives a gradient for each of several networks", () => {
    const [a, b] = [2, 5].map((value) => new ParameterVector([{ name: "w", shape: [1] }], tf.tensor1d([value])));
    const product = () => tf.squeeze<tf.Scalar>(tf.mul(tf.square(a!.tensor("w")), b!.tensor("w")));
    const { loss, gradients } = gradientsOf([a!, b!], product); // a^2 b
    expect(gradients.map((gradient) => gradient.dataSync()[0])).toEqual([20, 4]);
    tf.dispose([loss, ...gradients]);
    a!.dispose();
    b!.dispose();
  });

  it("throws what the loss throws, and leaves no tensor", () => {
    const parameters = new ParameterVector([{ name: "w", shape: [2] }], tf.tensor1d([1, 2]));
    const before = tf.memory().numTensors;
    const failing = () => {
      tf.square(parameters.tensor("w")); // an operation that saves a tensor for its gradient
      throw new Error("no region");
    };
    expect(() => gradientsOf([parameters], failing)).toThrow("no region");
    expect(tf.memory().numTensors).toBe(before);
    parameters.dispose();
  });
});
