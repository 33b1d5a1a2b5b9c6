import type { Random } from "../engine/random";
import { tf } from "../engine/tf";
import { copyEncoder, createEncoder, disposeEncoder, encode, type Encoder, type EncoderConfig } from "../nn/encoder";
import { contrastAccuracy, contrastLogits, infoNCE } from "./losses";
import { updateMomentumEncoder } from "./momentum-encoder";
import { KeyQueue } from "./queue";
import { encodeShuffled, type NextPermutation } from "./shuffling-bn";
import { differentiate, type StepResult } from "./step";

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
  /** Whether the keys are normalized in other groups than their queries (section 3.3). */
  readonly shuffleBN: boolean;
  /** Whether each view is once the query and once the key, as in the official CIFAR-10 demo; the paper's loss is not. */
  readonly symmetric: boolean;
}

/** Query encoder, key encoder and queue: the state of Algorithm 1. Owns its tensors: call {@link disposeMoco}. */
export interface Moco {
  readonly config: MocoConfig;
  readonly queryEncoder: Encoder;
  readonly keyEncoder: Encoder;
  readonly queue: KeyQueue;
}

/**
 * One step of Algorithm 1 (section 3.2), up to the gradient; the optimizer applies it to the query encoder.
 *
 * @param queryView - x^q, [N, H, W, 3], normalized
 * @param keyView - x^k, another random view of the same images
 * @param nextPermutation - order in which shuffling BN sends the keys to their groups, [N]; drawn once, twice if symmetric
 * @param images - which image each key is of, [N]; kept in the queue for analysis
 */
export function mocoStep(
  { config, queryEncoder, keyEncoder, queue }: Moco,
  queryView: tf.Tensor4D,
  keyView: tf.Tensor4D,
  nextPermutation: NextPermutation,
  images?: Int32Array,
): StepResult {
  const { bnGroups, temperature, symmetric } = config;
  updateMomentumEncoder(keyEncoder, queryEncoder, config.momentum);
  const views = symmetric
    ? ([
        [queryView, keyView],
        [keyView, queryView],
      ] as const)
    : ([[queryView, keyView]] as const);
  const keys = views.map(([, view]) => encodeShuffled(keyEncoder, view, bnGroups, config.shuffleBN && nextPermutation)); // no gradient to the keys

  const result = differentiate([queryEncoder], () => {
    const logits = views.map(([view], index) =>
      contrastLogits(encode(queryEncoder, view, bnGroups), keys[index]!, queue.keys, temperature),
    );
    return { loss: tf.addN(logits.map(infoNCE)), accuracy: tf.mean(tf.stack(logits.map(contrastAccuracy))) };
  });

  // The order of the official demo: the keys of the first view, then those of the second.
  for (const batch of [...keys].reverse()) queue.replaceOldest(batch, images);
  tf.dispose(keys);
  return result;
}

/** Initializes MoCo: the key encoder starts as a copy of the query encoder, the queue with random keys. */
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
