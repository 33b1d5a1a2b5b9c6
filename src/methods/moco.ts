import type { Random } from "../engine/random";
import { tf } from "../engine/tf";
import { withoutGradient } from "../engine/without-gradient";
import { copyEncoder, createEncoder, disposeEncoder, encode, type Encoder, type EncoderConfig } from "../nn/encoder";
import { contrastAccuracy, contrastLogits, infoNCE } from "./losses";
import { updateMomentumEncoder } from "./momentum-encoder";
import { KeyQueue } from "./queue";
import { encodeShuffled } from "./shuffling-bn";
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

/** What a step of MoCo is given. */
export interface MocoInputs {
  /** x^q, [N, H, W, 3], normalized. */
  readonly queryView: tf.Tensor4D;
  /** x^k, another random view of the same images. */
  readonly keyView: tf.Tensor4D;
  /** Order in which shuffling BN sends the keys to their groups, int32 [N]. */
  readonly permutation?: tf.Tensor1D | undefined;
  /** Which image each key is of, int32 [N]; kept in the queue for analysis. */
  readonly images?: tf.Tensor1D | undefined;
}

/** One step of Algorithm 1 (section 3.2), up to the gradient; the optimizer applies it to the query encoder. */
export function mocoStep(moco: Moco, { queryView, keyView, permutation, images }: MocoInputs): StepResult {
  const { queryEncoder, keyEncoder, queue } = moco;
  const { momentum, bnGroups, temperature } = moco.config;

  updateMomentumEncoder(keyEncoder, queryEncoder, momentum);
  const keys = withoutGradient(() => encodeShuffled(keyEncoder, keyView, bnGroups, permutation));
  const result = differentiate([queryEncoder], () => {
    const queries = encode(queryEncoder, queryView, bnGroups);
    const logits = contrastLogits(queries, keys, queue.keys, temperature);
    return { loss: infoNCE(logits), accuracy: contrastAccuracy(logits) };
  });
  queue.replaceOldest(keys, images);
  keys.dispose();
  return result;
}

/** As {@link MocoInputs}, with an order for each time that keys are encoded. */
export interface SymmetricInputs extends Omit<MocoInputs, "permutation"> {
  readonly permutations: readonly [tf.Tensor1D | undefined, tf.Tensor1D | undefined];
}

/** The step of the official CIFAR-10 demo: each view is once the query and once the key, and the two losses are added. */
export function symmetricMocoStep(moco: Moco, inputs: SymmetricInputs): StepResult {
  const { queryEncoder, keyEncoder, queue } = moco;
  const { momentum, bnGroups, temperature } = moco.config;
  const views = [inputs.queryView, inputs.keyView] as const;

  updateMomentumEncoder(keyEncoder, queryEncoder, momentum);
  const encodeKeys = (view: tf.Tensor4D, permutation: tf.Tensor1D | undefined) =>
    withoutGradient(() => encodeShuffled(keyEncoder, view, bnGroups, permutation));
  const keys = [encodeKeys(views[1], inputs.permutations[0]), encodeKeys(views[0], inputs.permutations[1])] as const;
  const result = differentiate([queryEncoder], () => {
    const logits = views.map((view, index) =>
      contrastLogits(encode(queryEncoder, view, bnGroups), keys[index]!, queue.keys, temperature),
    );
    return { loss: tf.addN(logits.map(infoNCE)), accuracy: tf.mean(tf.stack(logits.map(contrastAccuracy))) };
  });
  // The order of the official demo: the keys of the first view, then those of the second.
  for (const batch of [keys[1], keys[0]]) queue.replaceOldest(batch, inputs.images);
  tf.dispose([...keys]);
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
