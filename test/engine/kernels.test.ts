import { describe, expect, it } from "vitest";
import { runKernel, runKernelMultiple } from "../../src/engine/kernels";
import { tf } from "../../src/engine/tf";

describe("runKernel", () => {
  it("runs an operation of TensorFlow with attributes of every kind", () => {
    tf.tidy(() => {
      const x = tf.tensor2d([1, 5, 2, 4], [2, 2]);
      const product = runKernel(
        "MatMul",
        { T: { dtype: "float32" }, transpose_a: { bool: true }, transpose_b: { bool: false } },
        [x, x],
      );
      expect(product.arraySync()).toEqual([
        [5, 13],
        [13, 41],
      ]);
      const squeezed = runKernel("Squeeze", { T: { dtype: "float32" }, squeeze_dims: { int: [0, 2] } }, [
        tf.tensor3d([1, 2], [1, 2, 1]),
      ]);
      expect(squeezed.shape).toEqual([2]);
      const leaky = runKernel("LeakyRelu", { T: { dtype: "float32" }, alpha: { float: 0.5 } }, [tf.tensor1d([-2, 2])]);
      expect([...leaky.dataSync()]).toEqual([-1, 2]);
    });
  });

  it("tells an integer from a whole float", () => {
    // As an integer, TensorFlow would refuse this alpha.
    const leaky = tf.tidy(() =>
      runKernel("LeakyRelu", { T: { dtype: "float32" }, alpha: { float: 1 } }, [tf.tensor1d([-2])]).dataSync(),
    );
    expect([...leaky]).toEqual([-2]);
    expect(() =>
      tf.tidy(() => runKernel("LeakyRelu", { T: { dtype: "float32" }, alpha: { int: 1 } }, [tf.tensor1d([-2])])),
    ).toThrow(/alpha/);
  });

  it("passes on what TensorFlow says is wrong", () => {
    expect(() => tf.tidy(() => runKernel("NoSuchKernel", {}, [tf.scalar(1)]))).toThrow(/NoSuchKernel/);
    expect(() =>
      tf.tidy(() => runKernel("MatMul", { T: { dtype: "float32" } }, [tf.zeros([2, 3]), tf.zeros([2, 3])])),
    ).toThrow(/incompatible/i);
  });
});

describe("runKernelMultiple", () => {
  it("gives all outputs of an operation", () => {
    const [values, indices] = tf.tidy(() =>
      runKernelMultiple(
        "TopKV2",
        { T: { dtype: "float32" }, Tk: { dtype: "int32" }, index_type: { dtype: "int32" }, sorted: { bool: true } },
        [tf.tensor1d([3, 9, 4]), tf.scalar(2, "int32")],
        2,
      ).map((output) => [...output.dataSync()]),
    );
    expect(values).toEqual([9, 4]);
    expect(indices).toEqual([1, 2]);
  });
});
