import { tf } from "./tf";

/**
 * Computes something that no gradient flows into, as PyTorch's `torch.no_grad()`: what comes out is a constant to whatever
 * is differentiated around it.
 */
export function withoutGradient<T extends tf.Tensor>(compute: () => T): T {
  // A function of no inputs has nothing to send a gradient to, and what it calls is not noted down.
  return tf.customGrad(() => ({ value: compute(), gradFunc: () => [] }))();
}
