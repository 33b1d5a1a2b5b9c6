import { InputError } from "../errors";
import { tf } from "../engine/tf";
import { flatten, ParameterVector, type TensorEntry } from "../nn/parameters";
import type { HostTensor } from "./safetensors";

/** Named tensors in PyTorch's layout: convolutions [out, in, height, width], linear layers [out, in]. */
export type StateDict = Map<string, HostTensor>;

/** Reads a parameter vector out of the engine. Names get the prefix. */
export function toStateDict({ entries, tensors }: ParameterVector, prefix: string): StateDict {
  return new Map(
    entries.map(({ name }, index): [string, HostTensor] => {
      const torch = tf.tidy(() => tf.clone(toTorchLayout(tensors[index]!)));
      const host = hostTensor(torch);
      torch.dispose();
      return [prefix + name, host];
    }),
  );
}

/**
 * Brings named tensors into the engine.
 *
 * @param source - where the state comes from, for messages
 * @throws InputError listing every missing and wrong-shaped entry
 */
export function fromStateDict(
  state: ReadonlyMap<string, HostTensor>,
  entries: readonly TensorEntry[],
  prefix: string,
  source: string,
): ParameterVector {
  assertStateFits(state, withPrefix(prefix, entries), source);
  const values = tf.tidy(() =>
    flatten(
      entries.map(({ name }) => {
        const { shape, values: numbers } = state.get(prefix + name)!;
        return fromTorchLayout(tf.tensor(numbers, [...shape]));
      }),
    ),
  );
  return new ParameterVector(entries, values);
}

/**
 * Reads a vector that goes with a parameter vector, such as an optimizer's velocity, out of the engine, tensor by tensor.
 *
 * @param values - in the order of `entries`, [size]; stays the caller's
 */
export function vectorToStateDict(entries: readonly TensorEntry[], values: tf.Tensor1D, prefix: string): StateDict {
  const vector = new ParameterVector(entries, tf.clone(values));
  const state = toStateDict(vector, prefix);
  vector.dispose();
  return state;
}

/**
 * Brings such a vector into the engine; the caller disposes it.
 *
 * @throws InputError listing every missing and wrong-shaped entry
 */
export function vectorFromStateDict(
  state: ReadonlyMap<string, HostTensor>,
  entries: readonly TensorEntry[],
  prefix: string,
  source: string,
): tf.Tensor1D {
  const vector = fromStateDict(state, entries, prefix, source);
  const values = tf.clone(vector.values);
  vector.dispose();
  return values;
}

/**
 * Checks that a state has all tensors of a network, before any is brought into the engine.
 *
 * @param entries - names with their prefix, and the engine's shapes
 * @param source - where the state comes from, for messages
 * @throws InputError listing every missing and wrong-shaped entry
 */
export function assertStateFits(
  state: ReadonlyMap<string, HostTensor>,
  entries: readonly TensorEntry[],
  source: string,
): void {
  const problems = stateProblems(state, entries);
  if (problems.length > 0) {
    throw new InputError(`Cannot load the network from ${source}: it does not fit.\n  ${problems.join("\n  ")}`);
  }
}

/** Lists the entries that a state lacks or has in another shape. */
export function stateProblems(
  state: ReadonlyMap<string, Pick<HostTensor, "shape">>,
  entries: readonly TensorEntry[],
): string[] {
  return entries.flatMap(({ name, shape }) => {
    const found = state.get(name);
    if (found === undefined) return [`missing: ${name}`];
    const expected = torchShape(shape);
    return found.shape.join() === expected.join()
      ? []
      : [`wrong shape: ${name} is [${found.shape.join(", ")}], expected [${expected.join(", ")}]`];
  });
}

/** The same entries under longer names. */
export function withPrefix(prefix: string, entries: readonly TensorEntry[]): TensorEntry[] {
  return entries.map(({ name, shape }) => ({ name: prefix + name, shape }));
}

/** Copies a tensor out of the engine. */
export function hostTensor(tensor: tf.Tensor): HostTensor {
  return { shape: tensor.shape, values: tensor.dataSync<"float32">() };
}

function toTorchLayout(tensor: tf.Tensor): tf.Tensor {
  if (tensor.rank === 4) return tf.transpose(tensor, [3, 2, 0, 1]);
  return tensor.rank === 2 ? tf.transpose(tensor) : tensor;
}

function fromTorchLayout(tensor: tf.Tensor): tf.Tensor {
  if (tensor.rank === 4) return tf.transpose(tensor, [2, 3, 1, 0]);
  return tensor.rank === 2 ? tf.transpose(tensor) : tensor;
}

function torchShape(shape: readonly number[]): number[] {
  if (shape.length === 4) return [shape[3]!, shape[2]!, shape[0]!, shape[1]!];
  return [...shape].reverse();
}
