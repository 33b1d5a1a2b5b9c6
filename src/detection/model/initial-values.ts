import type { Random } from "../../engine/random";
import { tf } from "../../engine/tf";
import type { TensorEntry } from "../../nn/parameters";

/** What a tensor holds before the first step: one value, or random numbers around 0. */
export type InitialValues =
  | { readonly constant: number }
  /** Deviation of a normal distribution. */
  | { readonly normal: number }
  /** Bound of a uniform distribution. */
  | { readonly uniform: number };

/** A tensor that no pre-training has. */
export interface NewTensor extends TensorEntry {
  readonly initial: InitialValues;
}

/** Weight and bias of a layer; the bias starts at 0. */
export function newLayer(name: string, shape: readonly number[], initial: InitialValues): NewTensor[] {
  return [
    { name: `${name}.weight`, shape, initial },
    { name: `${name}.bias`, shape: [shape.at(-1)!], initial: { constant: 0 } },
  ];
}

/** Scale and offset of a batch normalization, which starts by changing nothing. */
export function newNorm(name: string, channels: number): NewTensor[] {
  return [
    { name: `${name}.weight`, shape: [channels], initial: { constant: 1 } },
    { name: `${name}.bias`, shape: [channels], initial: { constant: 0 } },
  ];
}

/** Running mean and variance of a batch normalization. */
export function newAverages(name: string, channels: number): NewTensor[] {
  return [
    { name: `${name}.running_mean`, shape: [channels], initial: { constant: 0 } },
    { name: `${name}.running_var`, shape: [channels], initial: { constant: 1 } },
  ];
}

/** The tensor at the start. The caller disposes it. */
export function initialTensor({ shape, initial }: NewTensor, random: Random): tf.Tensor {
  if ("constant" in initial) return tf.fill([...shape], initial.constant);
  const draw =
    "normal" in initial
      ? () => initial.normal * random.normal()
      : () => random.uniform(-initial.uniform, initial.uniform);
  return tf.tensor(Float32Array.from({ length: tf.util.sizeFromShape([...shape]) }, draw), [...shape]);
}
