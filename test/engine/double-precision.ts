import { randomStream } from "../../src/engine/random";
import { tf } from "../../src/engine/tf";

/** A tensor as a plain array of doubles: what the references here compute with. */
export interface Doubles {
  readonly shape: readonly number[];
  readonly values: Float64Array;
}

/** Normal numbers that float32 holds exactly. */
export function randomDoubles(shape: readonly number[], name: string): Doubles {
  const random = randomStream(1, "test", name);
  const values = Float64Array.from({ length: tf.util.sizeFromShape([...shape]) }, () => Math.fround(random.normal()));
  return { shape, values };
}

/** The same in the engine. The caller disposes it. */
export function toTensor<T extends tf.Tensor>({ shape, values }: Doubles): T {
  return tf.tensor(Float32Array.from(values), [...shape]) as T;
}

export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < a.length; index++) sum += a[index]! * b[index]!;
  return sum;
}

/** Largest difference, as a share of the largest expected magnitude. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) throw new Error(`${actual.length} values, expected ${expected.length}`);
  let difference = 0;
  let scale = 0;
  for (let index = 0; index < expected.length; index++) {
    const error = Math.abs(actual[index]! - expected[index]!);
    if (!(error <= difference)) difference = error; // a NaN stays
    scale = Math.max(scale, Math.abs(expected[index]!));
  }
  return difference / scale;
}

/**
 * Checks gradients against central differences in double precision.
 *
 * The loss is the sum of `weights` times the output of `forward`. For several random directions, the gradient times the
 * direction must equal the loss's derivative along it.
 *
 * @param forward - the operation in doubles, written for this test
 * @param gradients - what the engine says, one for each input
 * @returns the largest error, relative to the derivative's usual size |gradient|
 */
export function directionalError(
  forward: (inputs: readonly Doubles[]) => Float64Array,
  inputs: readonly Doubles[],
  weights: Doubles,
  gradients: readonly tf.Tensor[],
): number {
  const step = 1e-5;
  const errors = inputs.flatMap((input, index) => {
    const gradient = gradients[index]!.dataSync();
    return [0, 1, 2].map((trial) => {
      const direction = randomDoubles(input.shape, `direction ${index} ${trial}`);
      const loss = (sign: number) => {
        const moved = input.values.map((value, position) => value + sign * step * direction.values[position]!);
        return dot(
          forward(inputs.map((other, i) => (i === index ? { ...input, values: moved } : other))),
          weights.values,
        );
      };
      const expected = (loss(1) - loss(-1)) / (2 * step);
      return Math.abs(dot(gradient, direction.values) - expected) / Math.sqrt(dot(gradient, gradient));
    });
  });
  return errors.reduce((worst, error) => (error <= worst ? worst : error), 0);
}

/** Gradients of the sum of `weights` times the output; the caller disposes them. */
export function weightedGradients(
  operation: (...inputs: tf.Tensor[]) => tf.Tensor,
  inputs: readonly tf.Tensor[],
  weights: tf.Tensor,
): tf.Tensor[] {
  return tf.grads((...xs: tf.Tensor[]) => tf.sum(tf.mul(operation(...xs), weights)))([...inputs]);
}
