import { describe, expect, it } from "vitest";
import { relu } from "../../src/engine/relu";
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

  it("frees what a layer needed for its gradient when it is done with it, and the gradients of later layers", () => {
    const size = 10_000;
    const parameters = new ParameterVector([{ name: "w", shape: [size] }], tf.ones([size]));
    const tensors = parameters.tensors; // cut now: the pieces are not what is measured
    const before = tf.memory().numBytes;
    let bytesInFirstLayer = 0;
    const firstLayer = tf.customGrad((x) => ({
      value: tf.mul(x as tf.Tensor, 1),
      gradFunc: (dy: tf.Tensor) => {
        bytesInFirstLayer = tf.memory().numBytes - before;
        return tf.mul(dy, 1);
      },
    }));
    const { loss, gradients } = gradientsOf([parameters], () => {
      let y = firstLayer(tensors[0]!);
      for (let layer = 0; layer < 20; layer++) y = tf.tidy(() => relu(tf.add(y, 0)));
      return tf.sum<tf.Scalar>(y);
    });
    expect([...gradients[0]!.dataSync()].every((value) => value === 1)).toBe(true);
    // The gradient that comes in, that of the layer before and what that one saved.
    expect(bytesInFirstLayer / (4 * size)).toBeLessThan(4);
    tf.dispose([loss, ...gradients]);
    parameters.dispose();
  });

  it("gives tensors that are used twice both of their gradients", () => {
    const parameters = new ParameterVector([{ name: "w", shape: [1] }], tf.tensor1d([3]));
    // Passes its own gradient on, as one tensor for both inputs.
    const plus = tf.customGrad((x, y) => ({
      value: tf.add(x as tf.Tensor, y as tf.Tensor),
      gradFunc: (dy: tf.Tensor) => [dy, dy],
    }));
    const { loss, gradients } = gradientsOf([parameters], () => {
      const [a, b] = [tf.mul(parameters.tensor("w"), 2), tf.square(parameters.tensor("w"))];
      return tf.sum<tf.Scalar>(tf.mul(plus(a, b), a)); // (2 w + w^2) 2 w
    });
    expect(loss.arraySync()).toBe(90);
    expect(gradients[0]!.dataSync()[0]).toBe(8 * 3 + 6 * 9);
    tf.dispose([loss, ...gradients]);
    parameters.dispose();
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
