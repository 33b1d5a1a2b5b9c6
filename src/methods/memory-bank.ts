import { z } from "zod";
import { gatherRows } from "../engine/gather-rows";
import { runKernel } from "../engine/kernels";
import type { Random } from "../engine/random";
import { tf } from "../engine/tf";
import { Variable } from "../engine/variable";
import { createEncoder, encode, l2Normalize, type Encoder } from "../nn/encoder";
import { contrastAccuracy, contrastLogits, infoNCE } from "./losses";
import { defineMethod, oneView } from "./method";
import { queryName } from "./network-names";
import { momentum, positiveInteger, temperature } from "./settings";
import { differentiate, type StepResult } from "./step";

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

  /** What a checkpoint holds of it. */
  get buffers(): readonly Variable[] {
    return [this.rows];
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

/** The memory bank (figure 2b; Wu et al., 2018), with the softmax loss of the paper's comparison: one encoder and the bank. */
export interface MemoryBankState {
  readonly encoder: Encoder;
  readonly bank: MemoryBank;
  /** Share of the old representation that an entry keeps when its image is seen. */
  readonly momentum: number;
  readonly temperature: number;
  readonly bnGroups: number;
}

/** What a step of the memory bank is given. */
export interface MemoryBankInputs {
  /** [N, H, W, 3], normalized. */
  readonly view: tf.Tensor4D;
  /** Which images of the training set they are, int32 [N]. */
  readonly indices: tf.Tensor1D;
  /**
   * Which entries are the negatives of the whole batch, int32 [K], drawn uniformly with replacement and without leaving the
   * positives out, as the public implementations do.
   */
  readonly negatives: tf.Tensor1D;
}

/**
 * One step of the memory bank (figure 2b), up to the gradient. There is one view of each image, and no key encoder: the
 * positive is the image's own entry, from an epoch before.
 */
export function memoryBankStep(
  { encoder, bank, momentum, temperature, bnGroups }: MemoryBankState,
  { view, indices, negatives }: MemoryBankInputs,
): StepResult {
  const [positives, others] = [bank.at(indices), bank.at(negatives)];
  let features: tf.Tensor2D | undefined;
  const result = differentiate([encoder], () => {
    features = tf.keep(encode(encoder, view, { bnGroups }));
    const logits = contrastLogits(features, positives, { negatives: others, temperature });
    return { loss: infoNCE(logits), accuracy: contrastAccuracy(logits) };
  });
  bank.update(indices, features!, momentum);
  tf.dispose([features!, positives, others]);
  return result;
}

/** The memory bank, as recipes name it. */
export const memoryBank = defineMethod({
  settings: z
    .object({
      kind: z.literal("memory-bank"),
      /** K: how many entries are drawn as negatives at each step. */
      negatives: positiveInteger,
      /** Share of the old representation that an entry keeps when its image is seen, 0.5 in instance discrimination. */
      momentum,
      temperature,
    })
    .strict(),
  trained: [queryName],
  start: ({ negatives, momentum, temperature }, { encoder: config, bnGroups, images, random }) => {
    const encoder = createEncoder(config, random("initialization"));
    const bank = MemoryBank.random(images, config.dimension, random("bank"));
    const state = { encoder, bank, momentum, temperature, bnGroups };
    return {
      encoder,
      networks: { [queryName]: encoder },
      buffers: bank.buffers,
      views: oneView,
      draw: (batch) => {
        const stream = batch.random("negatives");
        return { negatives: Int32Array.from({ length: negatives }, () => stream.integer(images)) };
      },
      step: ({ views: [view], indices, drawn: { negatives } }) =>
        memoryBankStep(state, { view: view!, indices, negatives: negatives! }),
    };
  },
});
