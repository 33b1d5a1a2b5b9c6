import type { tf } from "./tf";

/** Shape and type of an input. */
export interface InputSpec {
  /** A name in place of a number is a dimension whose size differs from run to run; one name has one size in a run. */
  readonly shape: readonly (number | string)[];
  /** @default "float32" */
  readonly dtype?: "float32" | "int32";
}

/** Tensors by name. */
export type NamedTensors = Readonly<Record<string, tf.Tensor>>;

/**
 * Where a function of tensors waits for JavaScript: hands some values out, and gets what was decided by them.
 *
 * @param name - of the pause
 * @param values - handed to the decision; they stay the function's
 * @returns the inputs that the pause is declared with
 */
export type Pause = (name: string, values: NamedTensors) => NamedTensors;

/** What JavaScript decides at each pause, by its name: makes the pause's inputs, which the program disposes. */
export type Decisions = Readonly<Record<string, (values: NamedTensors) => NamedTensors>>;

/** A function of tensors: what goes in, and what it computes of it. Variables that it reads and assigns are its state. */
export interface TensorFunction<Outputs extends NamedTensors = NamedTensors> {
  readonly inputs: Readonly<Record<string, InputSpec>>;
  /** What comes in at each pause, in the order in which the function pauses. Their names are no other inputs' names. */
  readonly pauses?: Readonly<Record<string, Readonly<Record<string, InputSpec>>>>;
  /**
   * Must do the same whatever the values are: a number of JavaScript stays as it was when the function was recorded. Of a
   * function with named dimensions that holds for their sizes too.
   */
  readonly compute: (inputs: NamedTensors, pause: Pause) => Outputs;
}
