import { describe, expect, it } from "vitest";
import { relu } from "../../src/engine/relu";
import { tf } from "../../src/engine/tf";
import { directionalError, randomDoubles, toTensor, weightedGradients } from "./double-precision";

describe("relu", () => {
  it("keeps what is positive and sets the rest to zero, with the gradient 1 and 0", () => {
    tf.tidy(() => {
      const x = tf.tensor1d([-2, -1e-30, 0, 1e-30, 3]);
      expect([...relu(x).dataSync()]).toEqual([0, 0, 0, Math.fround(1e-30), 3]);
      const [gradient] = weightedGradients((y) => relu(y), [x], tf.tensor1d([5, 6, 7, 8, 9]));
      expect([...gradient!.dataSync()]).toEqual([0, 0, 0, 8, 9]);
    });
  });

  it.each([[[7]], [[33, 5]], [[4, 16, 16, 8]]])("equals plain tfjs and central differences, shape %j", (shape) => {
    const input = randomDoubles(shape, "input");
    const weights = randomDoubles(shape, "weights");
    tf.tidy(() => {
      const x = toTensor(input);
      expect(relu(x).dataSync()).toEqual(tf.relu(x).dataSync());
      for (let repeat = 0; repeat < 5; repeat++) {
        const fused = weightedGradients((y) => relu(y), [x], toTensor(weights));
        const plain = weightedGradients((y) => tf.relu(y), [x], toTensor(weights));
        expect(fused[0]!.dataSync()).toEqual(plain[0]!.dataSync());
        const forward = (inputs: readonly { readonly values: Float64Array }[]) =>
          inputs[0]!.values.map((value) => Math.max(value, 0));
        expect(directionalError(forward, [input], weights, fused)).toBeLessThan(1e-5);
      }
    });
  });

  it("leaves no tensor but its result", () => {
    const x = tf.tensor1d([-1, 1]);
    const before = tf.memory().numTensors;
    relu(x).dispose();
    tf.grad((y: tf.Tensor) => tf.sum(relu(y)))(x).dispose();
    expect(tf.memory().numTensors).toBe(before);
    x.dispose();
  });
});
