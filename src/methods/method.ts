import type { z } from "zod";
import type { ViewRequest } from "../data/batches";
import type { Random } from "../engine/random";
import type { tf } from "../engine/tf";
import type { Variable } from "../engine/variable";
import type { Encoder, EncoderConfig } from "../nn/encoder";
import type { Network } from "../nn/network";
import type { StepResult } from "./step";

/** The part of a recipe that says how the encoder is trained, as far as every method has it. */
export interface MethodSettings {
  /** Name of the method, for example "moco". */
  readonly kind: string;
}

/**
 * A way to train an encoder: all that the rest of the kit knows of it.
 *
 * The kit's own are listed in `methods/index.ts`; `pretrain` takes any other one beside a recipe that names it.
 */
export interface MethodDefinition<Schema extends z.AnyZodObject = z.AnyZodObject> {
  /** Its part of a recipe: an object whose `kind` is a literal. */
  readonly settings: Schema;
  /** Names of the networks that the optimizer moves. */
  readonly trained: readonly string[];
  /**
   * Checks that the settings fit the rest of the recipe.
   *
   * @throws InputError saying what does not fit
   */
  check?(settings: z.infer<Schema>, recipe: BatchSettings): void;
  /**
   * The method before its first step.
   *
   * @throws InputError if the encoder does not fit the training set
   */
  start(settings: z.infer<Schema>, context: MethodContext): Method;
}

/** Gives a definition the types of its settings. */
export function defineMethod<Schema extends z.AnyZodObject>(
  definition: MethodDefinition<Schema>,
): MethodDefinition<Schema> {
  return definition;
}

/** What a recipe says of its batches. */
export interface BatchSettings {
  readonly batchSize: number;
  /** Parts of a batch with batch statistics of their own. */
  readonly bnGroups: number;
}

/** Facts of the training set that a method may depend on. */
export interface TrainingSetFacts {
  readonly images: number;
  readonly classes: number;
}

/** What a method starts from besides its own settings. */
export interface MethodContext extends BatchSettings, TrainingSetFacts {
  readonly encoder: EncoderConfig;
  /** The random numbers for one purpose, for example "queue". */
  readonly random: (purpose: string) => Random;
}

/** A method under way, with all that it carries from step to step. Owns its tensors: call {@link disposeMethod}. */
export interface Method {
  /** What is evaluated: f_q. */
  readonly encoder: Encoder;
  /** All networks by the names that a checkpoint has for them, the encoder among them. */
  readonly networks: Readonly<Record<string, Network>>;
  /** What else a checkpoint holds, by the variables' own names: a queue, a memory bank. */
  readonly buffers?: readonly Variable[];
  /** The views of each image that a step takes. */
  readonly views: readonly ViewRequest[];
  /** The random numbers of a step that are no part of the views: permutations, negatives. */
  readonly draw?: (batch: Batch) => Readonly<Record<string, Int32Array>>;
  /**
   * One step up to the gradients, one for each trained network; the optimizer applies them. A function of tensors: it is
   * recorded once, so that no number in it may change from step to step.
   */
  readonly step: (inputs: StepInputs) => StepResult;
  /** The same with the memory of a part of the batch, part by part; instead of `step` where the recipe asks for it. */
  readonly inChunks?: (() => ChunkedStep) | undefined;
  /**
   * Called when a checkpoint was read into networks and buffers.
   *
   * @throws InputError if their values cannot be those of a training
   */
  readonly checkRestored?: () => void;
}

export function disposeMethod({ networks, buffers = [] }: Method): void {
  for (const { parameters, running } of Object.values(networks)) {
    parameters.dispose();
    running?.dispose();
  }
  for (const buffer of buffers) buffer.dispose();
}

/** A step that records for itself what is done to a part of a batch. Owns its sessions: call `dispose`. */
export interface ChunkedStep {
  readonly step: (batch: Batch) => StepResult;
  readonly dispose: () => void;
}

/** Query and key: two views as the recipe says. */
export const twoViews: readonly ViewRequest[] = [{}, {}];
export const oneView: readonly ViewRequest[] = [{}];

/** The images of one step, outside of the engine. */
export interface Batch {
  /** N. */
  readonly size: number;
  /** Rows of the training set, [N]. */
  readonly indices: Int32Array;
  /** Class of each image, [N]: for the supervised baseline and for analysis; no other method learns from it. */
  readonly labels: Int32Array;
  /** All views that the method asks for, normalized, [N, size, size, 3] each; the caller disposes them. */
  readonly views: () => tf.Tensor4D[];
  /**
   * One of the views, made when it is asked for and the same each time.
   *
   * @param which - from 0
   * @param positions - which images of the batch, in which order; all of them if left out
   * @returns normalized, [positions, size, size, 3]; the caller disposes it
   */
  readonly view: (which: number, positions?: Int32Array) => tf.Tensor4D;
  /** The random numbers of this step for one purpose. */
  readonly random: (purpose: string) => Random;
  /** Gives back what is held for the views, when the step is done. */
  readonly release?: () => void;
}

/** What a step computes with: a batch as tensors. */
export interface StepInputs {
  /** As many as the method asks for, normalized, [N, size, size, 3] each. */
  readonly views: readonly tf.Tensor4D[];
  /** Rows of the training set, int32 [N]. */
  readonly indices: tf.Tensor1D;
  /** Classes, int32 [N]. */
  readonly labels: tf.Tensor1D;
  /** What the method drew for this step, int32, by the names that {@link Method.draw} gives. */
  readonly drawn: Readonly<Record<string, tf.Tensor1D>>;
}
