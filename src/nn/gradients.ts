import { tf } from "../engine/tf";
import { flatten, type ParameterVector } from "./parameters";

/**
 * A loss and its gradient with respect to all parameters of a network.
 *
 * @param loss - computes a scalar from `parameters.tensor(...)`
 * @returns the loss, and the gradient in the order of the parameter vector, [size]; the caller disposes both
 */
export function gradientOf(
  parameters: ParameterVector,
  loss: () => tf.Scalar,
): { loss: tf.Scalar; gradient: tf.Tensor1D } {
  return tf.tidy(() => {
    const { value, grads } = tf.valueAndGrads(loss)([...parameters.tensors]);
    return { loss: value, gradient: flatten(grads) };
  });
}
