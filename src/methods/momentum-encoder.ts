import { tf } from "../engine/tf";
import type { Network } from "../nn/network";

/**
 * Equation 2: theta_k <- m theta_k + (1 - m) theta_q, over the trainable parameters.
 *
 * The running averages of batch normalization are no parameters: as in the official code, the key encoder keeps its own.
 *
 * @param options.momentum - m in [0, 1); 0 copies the query encoder
 */
export function updateMomentumEncoder(
  keyEncoder: Network,
  queryEncoder: Network,
  { momentum }: { readonly momentum: number },
): void {
  const { parameters } = keyEncoder;
  parameters.replace(
    tf.tidy(() =>
      tf.add<tf.Tensor1D>(tf.mul(parameters.values, momentum), tf.mul(queryEncoder.parameters.values, 1 - momentum)),
    ),
  );
}
