import { tf } from "../engine/tf";

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
 * several for each of the tensors. The layers use the named tensors, which are cut out of the vector after each update.
 * Owns its tensors: call `dispose`.
 */
export class ParameterVector {
  private vector: tf.Tensor1D;
  private pieces: readonly tf.Tensor[];
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
    this.vector = tf.keep(values);
    this.pieces = this.cut();
  }

  /** All values, [size]. Valid until the next `replace`. */
  get values(): tf.Tensor1D {
    return this.vector;
  }

  /** The named tensors in the order of `entries`. Valid until the next `replace`. */
  get tensors(): readonly tf.Tensor[] {
    return this.pieces;
  }

  /** How many numbers there are. */
  get size(): number {
    return this.vector.size;
  }

  /**
   * One tensor by name. Valid until the next `replace`.
   *
   * @throws Error if the network has no such tensor
   */
  tensor<T extends tf.Tensor>(name: string): T {
    const index = this.indexByName.get(name);
    if (index === undefined) throw new Error(`Cannot find a parameter of the network: no such name, "${name}"`);
    return this.pieces[index] as T;
  }

  /** Puts new values in place of the old, which are disposed. Takes `values` over. */
  replace(values: tf.Tensor1D): void {
    if (values.size !== this.size) {
      throw new Error(`Cannot replace ${this.size} parameters: the new vector has ${values.size}`);
    }
    if (values !== this.vector) this.vector.dispose();
    this.vector = tf.keep(values);
    tf.dispose([...this.pieces]);
    this.pieces = this.cut();
  }

  dispose(): void {
    this.vector.dispose();
    tf.dispose([...this.pieces]);
  }

  private cut(): tf.Tensor[] {
    return tf.tidy(() =>
      tf
        .split(this.vector, this.sizes)
        .map((piece, index) => tf.keep(tf.reshape(piece, [...this.entries[index]!.shape]))),
    );
  }
}

/** Joins tensors, in order, into one vector: the inverse of how {@link ParameterVector} cuts. */
export function flatten(tensors: readonly tf.Tensor[]): tf.Tensor1D {
  return tf.tidy(() => tf.concat1d(tensors.map((tensor) => tensor.as1D())));
}
