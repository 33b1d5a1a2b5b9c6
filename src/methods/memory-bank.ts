import { gatherRows } from "../engine/gather-rows";
import { runKernel } from "../engine/kernels";
import type { Random } from "../engine/random";
import { tf } from "../engine/tf";
import { Variable } from "../engine/variable";
import { encode, l2Normalize, type Encoder, type EncoderConfig } from "../nn/encoder";
import { contrastAccuracy, contrastLogits, infoNCE } from "./losses";
import { differentiate, type StepResult } from "./step";

/** What defines the memory bank (figure 2b; Wu et al., 2018), with the softmax loss of the paper's comparison. */
export interface MemoryBankConfig {
  readonly encoder: EncoderConfig;
  /** K: how many entries are drawn as negatives at each step. */
  readonly negatives: number;
  /** Share of the old representation that an entry keeps when its image is seen, 0.5 in instance discrimination. */
  readonly momentum: number;
  readonly temperature: number;
  readonly bnGroups: number;
}

/**
 * The dictionary of the paper as a memory bank: the last representation of each image of the training set.
 *
 * The twin of {@link KeyQueue}: an entry is as old as the last time its image was seen. Owns its tensor: call `dispose`.
 */
export class MemoryBank {
  private readonly rows: Variable<tf.Tensor2D>;

  /** @param rows - [images, C], unit vectors; taken over, do not dispose it */
  constructor(rows: tf.Tensor2D) {
    this.rows = new Variable("memory_bank", rows);
  }

  /** A bank filled with random unit vectors. */
  static random(images: number, dimension: number, random: Random): MemoryBank {
    const values = Float32Array.from({ length: images * dimension }, () => random.normal());
    return new MemoryBank(tf.tidy(() => l2Normalize(tf.tensor2d(values, [images, dimension]))));
  }

  /** All entries, [images, C]. Valid until the next `update`. */
  get entries(): tf.Tensor2D {
    return this.rows.value;
  }

  /** The entries of some images, [indices, C]. */
  at(indices: tf.Tensor1D): tf.Tensor2D {
    return gatherRows(this.rows.value, indices);
  }

  /**
   * Moves the entries of the images that were seen: normalize(momentum old + (1 - momentum) new).
   *
   * @param indices - different images, int32 [N]
   * @param features - their representations, [N, C], unit vectors, without gradient
   */
  update(indices: tf.Tensor1D, features: tf.Tensor2D, momentum: number): void {
    this.rows.assign(
      tf.tidy(() => {
        const moved = l2Normalize(tf.add(tf.mul(this.at(indices), momentum), tf.mul(features, 1 - momentum)));
        const positions = tf.reshape(indices, [indices.size, 1]);
        return runKernel("TensorScatterUpdate", scatterAttributes, [this.rows.value, positions, moved]) as tf.Tensor2D;
      }),
    );
  }

  dispose(): void {
    this.rows.dispose();
  }
}

const scatterAttributes = { T: { dtype: "float32" }, Tindices: { dtype: "int32" } } as const;

/** One encoder and the bank. Owns their tensors. */
export interface MemoryBankMethod {
  readonly config: MemoryBankConfig;
  readonly encoder: Encoder;
  readonly bank: MemoryBank;
}

/**
 * One step of the memory bank (figure 2b), up to the gradient. There is one view of each image, and no key encoder: the
 * positive is the image's own entry, from an epoch before.
 *
 * @param view - [N, H, W, 3], normalized
 * @param indices - which images of the training set they are, int32 [N]
 * @param negatives - which entries are the negatives of the whole batch, int32 [K], drawn uniformly with replacement and without
 *   leaving the positives out, as the public implementations do
 */
export function memoryBankStep(
  { config, encoder, bank }: MemoryBankMethod,
  view: tf.Tensor4D,
  indices: tf.Tensor1D,
  negatives: tf.Tensor1D,
): StepResult {
  const [positives, others] = [bank.at(indices), bank.at(negatives)];
  let features: tf.Tensor2D | undefined;
  const result = differentiate([encoder], () => {
    features = tf.keep(encode(encoder, view, config.bnGroups));
    const logits = contrastLogits(features, positives, others, config.temperature);
    return { loss: infoNCE(logits), accuracy: contrastAccuracy(logits) };
  });
  bank.update(indices, features!, config.momentum);
  tf.dispose([features!, positives, others]);
  return result;
}
