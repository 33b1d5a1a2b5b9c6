import { tf } from "../engine/tf";
import { gradientsOf } from "../nn/gradients";
import type { Network } from "../nn/network";

/** What one step gives: tensors, which the caller disposes. */
export interface StepResult {
  /** Mean over the batch. */
  readonly loss: tf.Scalar;
  /** Pretext accuracy: share of the batch that picks its positive; supervised, its class. */
  readonly accuracy: tf.Scalar;
  /** One for each of the networks that are trained: gradient of the loss with respect to its parameter vector. */
  readonly gradients: readonly tf.Tensor1D[];
}

/** What a forward pass ends in. */
export interface Objective {
  readonly loss: tf.Scalar;
  readonly accuracy: tf.Scalar;
}

/** Runs a forward pass, and sends its loss back through the networks. */
export function differentiate(networks: readonly Network[], forward: () => Objective): StepResult {
  let accuracy: tf.Scalar | undefined;
  const { loss, gradients } = gradientsOf(
    networks.map(({ parameters }) => parameters),
    () => {
      const objective = forward();
      accuracy = tf.keep(objective.accuracy);
      return objective.loss;
    },
  );
  // Kept over the end of the differentiation; from here on it belongs to the caller's scope, like the rest.
  const result = { loss, accuracy: tf.clone(accuracy!), gradients };
  accuracy!.dispose();
  return result;
}
