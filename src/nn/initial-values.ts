import type { Random } from "../engine/random";
import { tf } from "../engine/tf";
import { ParameterVector, type TensorEntry } from "./parameters";

/**
 * Parameters of a network before training, by torchvision's rules: convolutions normal with variance 2 / fan-out, fully
 * connected layers and their biases uniform within 1 / sqrt(fan-in), batch normalization 1 and 0.
 *
 * @param entries - "NAME.weight" of rank 4 is a convolution, of rank 2 a fully connected layer, of rank 1 a normalization;
 *   "NAME.bias" stands after its weight
 */
export function initialParameters(entries: readonly TensorEntry[], random: Random): ParameterVector {
  let fanIn: number | undefined;
  const values = entries.map(({ name, shape }) => {
    const draw = (one: () => number) => Float32Array.from({ length: sizeOf(shape) }, one);
    if (name.endsWith(".weight")) fanIn = shape.length === 2 ? shape[0]! : undefined;
    if (shape.length === 4) {
      const deviation = Math.sqrt(2 / (shape[0]! * shape[1]! * shape[3]!));
      return draw(() => deviation * random.normal());
    }
    if (fanIn !== undefined) {
      const bound = 1 / Math.sqrt(fanIn);
      return draw(() => random.uniform(-bound, bound));
    }
    return new Float32Array(sizeOf(shape)).fill(name.endsWith(".weight") ? 1 : 0);
  });
  return new ParameterVector(entries, tf.tensor1d(joined(values)));
}

/** Running averages before training: means 0, variances ("NAME.running_var") 1. */
export function initialRunningAverages(entries: readonly TensorEntry[]): ParameterVector {
  const values = entries.map(({ name, shape }) =>
    new Float32Array(sizeOf(shape)).fill(name.endsWith("running_var") ? 1 : 0),
  );
  return new ParameterVector(entries, tf.tensor1d(joined(values)));
}

function sizeOf(shape: readonly number[]): number {
  return tf.util.sizeFromShape([...shape]);
}

function joined(arrays: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(arrays.reduce((total, { length }) => total + length, 0));
  let offset = 0;
  for (const array of arrays) {
    all.set(array, offset);
    offset += array.length;
  }
  return all;
}
