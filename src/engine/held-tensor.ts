import { tf } from "./tf";

/** A tensor and what was made of it once. */
export interface Held {
  readonly tensor: tf.Tensor;
  readonly derived: Map<(value: tf.Tensor) => tf.Tensor[], tf.Tensor[]>;
}

/** Keeps a tensor beyond `tf.tidy`. */
export function hold(tensor: tf.Tensor): Held {
  return { tensor: tf.keep(tensor), derived: new Map() };
}

/** Disposes a held tensor and all that was made of it. */
export function release(held: Held | undefined): void {
  if (held === undefined) return;
  held.tensor.dispose();
  for (const made of held.derived.values()) tf.dispose(made);
}
