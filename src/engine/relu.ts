import { runKernel, type Attributes } from "./kernels";
import { tf } from "./tf";

const attributes: Attributes = { T: { dtype: "float32" } };

/** max(x, 0), with TensorFlow's fused gradient: tfjs composes it out of three operations. */
export function relu<T extends tf.Tensor>(x: T): T {
  const rectify = tf.customGrad((...inputs) => {
    const [input, save] = inputs as unknown as [tf.Tensor, tf.GradSaveFunc];
    const value = runKernel("Relu", attributes, [input]);
    save([value]);
    return {
      value,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => runKernel("ReluGrad", attributes, [dy, saved[0]!]),
    };
  });
  return rectify(x) as T;
}
