import type { ParameterVector } from "./parameters";

/** Tensors of a network of any kind: an encoder, a predictor. */
export interface Network {
  /** Trainable. */
  readonly parameters: ParameterVector;
  /** Running averages of its batch normalizations, where they are needed. */
  readonly running?: ParameterVector | undefined;
}
