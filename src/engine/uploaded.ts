import { backend } from "./recording";
import type { tf } from "./tf";

/**
 * Copies the values of a new tensor into the engine now; else it keeps hold of the array until the tensor is used first. So
 * the array may be written again.
 */
export function uploaded<T extends tf.Tensor>(tensor: T): T {
  backend().getInputTensorIds([tensor]);
  return tensor;
}
