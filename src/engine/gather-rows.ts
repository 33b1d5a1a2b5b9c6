import { runKernel, type Attributes } from "./kernels";
import { tf } from "./tf";

const attributes: Attributes = {
  Tparams: { dtype: "float32" },
  Tindices: { dtype: "int32" },
  Taxis: { dtype: "int32" },
  batch_dims: { int: 0 },
};

/**
 * Rows of a tensor in another order, with the gradient. Unlike `tf.gather`, which reads the indices out of the engine to
 * check them, so that no recorded step can use it; TensorFlow checks them itself.
 *
 * @param x - [rows, ...]
 * @param indices - int32 [count]
 * @returns [count, ...]
 */
export function gatherRows<T extends tf.Tensor>(x: T, indices: tf.Tensor1D): T {
  const gather = tf.customGrad((...inputs) => {
    const [rows, save] = inputs as unknown as [tf.Tensor, tf.GradSaveFunc];
    save([indices]);
    return {
      value: tf.tidy(() => runKernel("GatherV2", attributes, [rows, indices, tf.scalar(0, "int32")])),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) =>
        tf.unsortedSegmentSum(dy, saved[0] as tf.Tensor1D, rows.shape[0]),
    };
  });
  return gather(x) as T;
}
