import type { Random } from "../engine/random";
import { tf } from "../engine/tf";
import { copyEncoder, createEncoder, disposeEncoder, encode, type Encoder, type EncoderConfig } from "../nn/encoder";
import { gradientOf } from "../nn/gradients";
import { contrastAccuracy, contrastLogits, infoNCE } from "./losses";
import { updateMomentumEncoder } from "./momentum-encoder";
import { KeyQueue } from "./queue";

/** What defines MoCo (paper, section 3). MoCo v2 differs by `encoder.head = "mlp"`, the augmentation and the schedule. */
export interface MocoConfig {
  readonly encoder: EncoderConfig;
  /** K: how many keys the dictionary holds. */
  readonly queueSize: number;
  /** m of equation 2: how much of the key encoder stays at each step. */
  readonly momentum: number;
  /** tau of equation 1. */
  readonly temperature: number;
  /** Parts of the batch with batch statistics of their own: the GPUs of the official code. */
  readonly bnGroups: number;
}

/** Query encoder, key encoder and queue: the state of Algorithm 1. Owns its tensors: call {@link disposeMoco}. */
export interface Moco {
  readonly config: MocoConfig;
  readonly queryEncoder: Encoder;
  readonly keyEncoder: Encoder;
  readonly queue: KeyQueue;
}

/** What one step gives. The caller disposes the gradient. */
export interface StepResult {
  /** InfoNCE, mean over the batch. */
  readonly loss: number;
  /** Share of queries that find their own key among K + 1. */
  readonly accuracy: number;
  /** Gradient of the loss with respect to the query encoder's parameter vector. */
  readonly gradient: tf.Tensor1D;
}

/**
 * One step of Algorithm 1 (section 3.2), up to the gradient; the optimiser applies it to the query encoder.
 *
 * @param queryView - x^q, [N, H, W, 3], normalised
 * @param keyView - x^k, another random view of the same pictures
 * @param permutation - order in which shuffling BN sends the keys to their groups, [N]
 */
export function mocoStep(
  { config, queryEncoder, keyEncoder, queue }: Moco,
  queryView: tf.Tensor4D,
  keyView: tf.Tensor4D,
  permutation: Int32Array,
): StepResult {
  updateMomentumEncoder(keyEncoder, queryEncoder, config.momentum);
  const keys = encodeShuffled(keyEncoder, keyView, permutation, config.bnGroups); // no gradient to the keys

  let accuracy: tf.Scalar | undefined;
  const { loss, gradient } = gradientOf(queryEncoder.parameters, () => {
    const queries = encode(queryEncoder, queryView, config.bnGroups);
    const logits = contrastLogits(queries, keys, queue.keys, config.temperature);
    accuracy = tf.keep(contrastAccuracy(logits));
    return infoNCE(logits);
  });

  queue.replaceOldest(keys);

  const result = { loss: loss.arraySync(), accuracy: accuracy!.arraySync(), gradient };
  tf.dispose([loss, accuracy!, keys]);
  return result;
}

/**
 * Shuffling BN (section 3.3): the keys are normalised in other groups than their queries, so that the statistics of a
 * group do not give the positive away. With one group the shuffle alone changes nothing.
 */
function encodeShuffled(encoder: Encoder, images: tf.Tensor4D, permutation: Int32Array, groups: number): tf.Tensor2D {
  return tf.tidy(() => {
    const shuffled = tf.gather(images, tf.tensor1d(permutation, "int32"));
    return tf.gather(encode(encoder, shuffled, groups), tf.tensor1d(inverse(permutation), "int32"));
  });
}

function inverse(permutation: Int32Array): Int32Array {
  const result = new Int32Array(permutation.length);
  permutation.forEach((source, position) => (result[source] = position));
  return result;
}

/** Initialises MoCo: the key encoder starts as a copy of the query encoder, the queue with random keys. */
export function createMoco(config: MocoConfig, random: { encoder: Random; queue: Random }): Moco {
  const queryEncoder = createEncoder(config.encoder, random.encoder);
  return {
    config,
    queryEncoder,
    keyEncoder: copyEncoder(queryEncoder),
    queue: KeyQueue.random(config.queueSize, config.encoder.dimension, random.queue),
  };
}

export function disposeMoco({ queryEncoder, keyEncoder, queue }: Moco): void {
  disposeEncoder(queryEncoder);
  disposeEncoder(keyEncoder);
  queue.dispose();
}
