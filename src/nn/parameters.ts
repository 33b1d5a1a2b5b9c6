import { tf } from "../engine/tf";
import { Variable } from "../engine/variable";

/** Name and shape of one tensor of a network. */
export interface TensorEntry {
  /** torchvision's name, for example "layer1.0.conv1.weight". */
  readonly name: string;
  /** The engine's shape: convolutions are [height, width, in, out], linear layers [in, out]. */
  readonly shape: readonly number[];
}

/**
 * Named tensors of a network, kept in one vector.
 *
 * The optimizer, the momentum update and the running averages work on the vector: a handful of operations instead of
 * several for each of the tensors. The layers use the named tensors, which are cut out of the vector once for each value of it.
 * Owns its tensors: call `dispose`.
 */
export class ParameterVector {
  private readonly vector: Variable<tf.Tensor1D>;
  private readonly indexByName: ReadonlyMap<string, number>;
  private readonly sizes: number[];

  /**
   * @param entries - in the order in which they lie in the vector
   * @param values - [sum of all sizes]; taken over, do not dispose it
   */
  constructor(
    readonly entries: readonly TensorEntry[],
    values: tf.Tensor1D,
  ) {
    this.sizes = entries.map(({ shape }) => tf.util.sizeFromShape([...shape]));
    this.indexByName = new Map(entries.map(({ name }, index) => [name, index]));
    this.vector = new Variable(`the parameters from ${entries[0]?.name ?? "none"} on`, values);
    this.vector.derive(this.cut);
  }

  /** All values, [size]. Valid until the next `replace`. */
  get values(): tf.Tensor1D {
    return this.vector.value;
  }

  /** The named tensors in the order of `entries`. Valid until the next `replace`. */
  get tensors(): readonly tf.Tensor[] {
    return this.vector.derive(this.cut);
  }

  /** How many numbers there are. */
  get size(): number {
    return this.vector.shape[0];
  }

  /**
   * One tensor by name. Valid until the next `replace`.
   *
   * @throws Error if the network has no such tensor
   */
  tensor<T extends tf.Tensor>(name: string): T {
    const index = this.indexByName.get(name);
    if (index === undefined) throw new Error(`Cannot find a parameter of the network: no such name, "${name}"`);
    return this.tensors[index] as T;
  }

  /** Puts new values in place of the old, which are disposed. Takes `values` over. */
  replace(values: tf.Tensor1D): void {
    if (values.size !== this.size) {
      throw new Error(`Cannot replace ${this.size} parameters: the new vector has ${values.size}`);
    }
    this.vector.assign(values);
    // Now, and not at the first use: that may be inside of what is differentiated, to which the cut pieces are given.
    this.vector.derive(this.cut);
  }

  dispose(): void {
    this.vector.dispose();
  }

  private readonly cut = (vector: tf.Tensor1D): tf.Tensor[] =>
    tf.split(vector, this.sizes).map((piece, index) => tf.reshape(piece, [...this.entries[index]!.shape]));
}

/** Joins tensors, in order, into one vector: the inverse of how {@link ParameterVector} cuts. */
export function flatten(tensors: readonly tf.Tensor[]): tf.Tensor1D {
  return tf.tidy(() => tf.concat1d(tensors.map((tensor) => tensor.as1D())));
}
