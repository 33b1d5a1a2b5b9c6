import { tf } from "../engine/tf";
import { flatten, type ParameterVector } from "./parameters";

/**
 * A loss and its gradient with respect to all parameters of one or more networks.
 *
 * @param networks - their parameter vectors
 * @param loss - computes a scalar from `parameters.tensor(...)`
 * @throws what `loss` throws; no tensor is left then
 * @returns the loss, and one gradient for each network in the order of its parameter vector, [size]; the caller disposes all
 */
export function gradientsOf(
  networks: readonly ParameterVector[],
  loss: () => tf.Scalar,
): { loss: tf.Scalar; gradients: tf.Tensor1D[] } {
  return tf.tidy(() => {
    const all = networks.flatMap(({ tensors }) => [...tensors]);
    // tfjs frees what it has saved for the gradients only when it has computed some, so an error waits for that.
    let failure: { readonly error: unknown } | undefined;
    const { value, grads } = tf.valueAndGrads(() => {
      try {
        return loss();
      } catch (error) {
        failure = { error };
        return tf.addN(all.map((tensor) => tf.sum<tf.Scalar>(tensor)));
      }
    })(all);
    if (failure) throw failure.error;
    let first = 0;
    const gradients = networks.map(({ tensors }) => {
      const own = grads.slice(first, first + tensors.length);
      first += tensors.length;
      return flatten(own);
    });
    return { loss: value, gradients };
  });
}
