import type { Random } from "../engine/random";
import type { tf } from "../engine/tf";
import type { Encoder } from "../nn/encoder";
import type { HostTensor } from "../nn/safetensors";
import type { StepResult } from "./step";

/** The images of one step, outside of the engine. */
export interface Batch {
  /** N. */
  readonly size: number;
  /** Rows of the training set, [N]. */
  readonly indices: Int32Array;
  /** Class of each image, [N]: for the supervised baseline and for analysis; no other method learns from it. */
  readonly labels: Int32Array;
  /** Both random views of all its images, normalized, [N, H, W, 3] each; the caller disposes them. */
  readonly views: () => { readonly query: tf.Tensor4D; readonly key: tf.Tensor4D };
  /**
   * One of the two views, made when it is asked for and the same each time.
   *
   * @param positions - which images of the batch, in which order; all of them if left out
   * @returns normalized, [positions, H, W, 3]; the caller disposes it
   */
  readonly view: (which: 0 | 1, positions?: Int32Array) => tf.Tensor4D;
  /** The random numbers of this step for one purpose. */
  readonly random: (purpose: string) => Random;
}

/** What a step computes with: a batch as tensors. */
export interface StepInputs {
  /** As many as the method asks for, normalized, [N, H, W, 3] each. */
  readonly views: readonly tf.Tensor4D[];
  /** Rows of the training set, int32 [N]. */
  readonly indices: tf.Tensor1D;
  /** Classes, int32 [N]. */
  readonly labels: tf.Tensor1D;
  /** What the method drew for this step, int32, by the names that {@link Method.draw} gives. */
  readonly drawn: Readonly<Record<string, tf.Tensor1D>>;
}

/** A way to train an encoder, with all that it carries from step to step. Owns its tensors: call `dispose`. */
export interface Method {
  /** What is evaluated: f_q. */
  readonly encoder: Encoder;
  /** All networks by the names that a checkpoint has for them, the encoder among them. */
  readonly networks: Readonly<Record<string, Encoder>>;
  /** Names of the networks that the optimizer moves. */
  readonly trained: readonly string[];
  /** How many views of a batch a step takes. */
  readonly views: 1 | 2;
  /** The random numbers of a step that are no part of the views: permutations, negatives. */
  readonly draw: (batch: Batch) => Readonly<Record<string, Int32Array>>;
  /**
   * One step up to the gradients, one for each trained network; the optimizer applies them. A function of tensors: it is
   * recorded once, so that no number in it may change from step to step.
   */
  readonly step: (inputs: StepInputs) => StepResult;
  /** The same with the memory of a part of the batch, part by part; instead of `step` where the recipe asks for it. */
  readonly stepInChunks?: ((batch: Batch) => StepResult) | undefined;
  /** What a checkpoint holds besides the networks: a queue, a bank. */
  readonly memory: () => ReadonlyMap<string, HostTensor>;
  readonly dispose: () => void;
}
