import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { tensorText } from "../../src/display/tensor-text";
import { tf } from "../../src/engine/tf";

const textOf = (make: () => tf.Tensor) => {
  const tensor = make();
  const before = tf.memory().numTensors;
  const text = tensorText(tensor);
  expect(tf.memory().numTensors).toBe(before);
  tensor.dispose();
  return text;
};

describe("a tensor for readers", () => {
  it("has its type, its shape and its values", () => {
    expect([
      textOf(() => tf.tensor2d([1, 2, 0.1, 4, 5, 6], [2, 3])),
      textOf(() => tf.scalar(3, "int32")),
      textOf(() => tf.zeros([0, 3])),
      textOf(() => tf.tensor1d([true, false], "bool")),
      textOf(() => tf.tensor1d(["a", "b"])),
      textOf(() => tf.complex([1], [2])),
    ]).toEqual([
      "Tensor float32 [2, 3]:\n    [[1, 2, 0.1],\n     [4, 5, 6  ]]",
      "Tensor int32 []:\n    3",
      "Tensor float32 [0, 3]:\n     []",
      "Tensor bool [2]:\n    [true, false]",
      "Tensor string [2]:\n    ['a', 'b']",
      "Tensor complex64 [1]:\n    [1 + 2j]",
    ]);
  });

  it("has the first of many values", () => {
    expect(textOf(() => tf.fill([200], "x"))).toBe(
      "Tensor string [200], begins with:\n    ['x', 'x', 'x', 'x', 'x', 'x']",
    );
    expect(textOf(() => tf.complex(new Float32Array(200), new Float32Array(200)))).toMatch(
      /^Tensor complex64 \[200\], begins with:/,
    );
    expect(textOf(() => tf.range(0, 5000).reshape([50, 100]))).toBe(
      "Tensor float32 [50, 100], begins with:\n    [0, 1, 2, 3, 4, 5]",
    );
  });

  it("has no values once it is disposed, and within other values", () => {
    const tensor = tf.tensor1d([1, 2]);
    expect(inspect({ list: [tensor] })).toBe("{ list: [ Tensor float32 [2] ] }");
    expect(inspect(tensor)).toBe(tensorText(tensor));
    tensor.dispose();
    expect(inspect(tensor)).toBe("Tensor float32 [2], disposed");
  });
});
