import { z } from "zod";
import type { Random } from "../engine/random";
import type { tf } from "../engine/tf";
import { withoutGradient } from "../engine/without-gradient";
import { InputError } from "../errors";
import { copyEncoder, createEncoder, disposeEncoder, encode, type Encoder, type EncoderConfig } from "../nn/encoder";
import { assertChunksFit } from "./gradient-cache";
import { contrastAccuracy, contrastLogits, infoNCE } from "./losses";
import { defineMethod, twoViews } from "./method";
import { ChunkedMoco } from "./moco-in-chunks";
import { updateMomentumEncoder } from "./momentum-encoder";
import { keyName, queryName } from "./network-names";
import { assertQueueFits, KeyQueue } from "./queue";
import { chunkSize, momentum, positiveInteger, temperature } from "./settings";
import { drawPermutation, encodeShuffled } from "./shuffling-bn";
import { differentiate, type StepResult } from "./step";
import { symmetricMocoStep } from "./symmetric-moco";

/** Query encoder, key encoder and queue: the state of Algorithm 1. Owns its tensors: call {@link disposeMoco}. */
export interface Moco {
  readonly queryEncoder: Encoder;
  readonly keyEncoder: Encoder;
  readonly queue: KeyQueue;
  readonly momentum: number;
  readonly temperature: number;
  /** Parts of the batch with batch statistics of their own: the GPUs of the official code. */
  readonly bnGroups: number;
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
  const { queryEncoder, keyEncoder, queue, momentum, temperature, bnGroups } = moco;

  updateMomentumEncoder(keyEncoder, queryEncoder, { momentum });
  const keys = withoutGradient(() => encodeShuffled(keyEncoder, keyView, { bnGroups, permutation }));
  const result = differentiate([queryEncoder], () => {
    const queries = encode(queryEncoder, queryView, { bnGroups });
    const logits = contrastLogits(queries, keys, { negatives: queue.keys, temperature });
    return { loss: infoNCE(logits), accuracy: contrastAccuracy(logits) };
  });
  queue.replaceOldest(keys, images);
  keys.dispose();
  return result;
}

/** What a MoCo is made of. */
export interface MocoConfig extends Pick<Moco, "momentum" | "temperature" | "bnGroups"> {
  readonly encoder: EncoderConfig;
  readonly queueSize: number;
}

/** Initializes MoCo: the key encoder starts as a copy of the query encoder, the queue with random keys. */
export function createMoco(
  { encoder, queueSize, momentum, temperature, bnGroups }: MocoConfig,
  random: { readonly encoder: Random; readonly queue: Random },
): Moco {
  const queryEncoder = createEncoder(encoder, random.encoder);
  const queue = KeyQueue.random(queueSize, encoder.dimension, random.queue);
  return { queryEncoder, keyEncoder: copyEncoder(queryEncoder), queue, momentum, temperature, bnGroups };
}

export function disposeMoco({ queryEncoder, keyEncoder, queue }: Moco): void {
  disposeEncoder(queryEncoder);
  disposeEncoder(keyEncoder);
  queue.dispose();
}

/** MoCo (section 3), as recipes name it. MoCo v2 differs by the encoder's head "mlp", the augmentation and the schedule. */
export const moco = defineMethod({
  settings: z
    .object({
      kind: z.literal("moco"),
      /** K: how many keys the dictionary holds. */
      queueSize: positiveInteger,
      /** m of equation 2: how much of the key encoder stays at each step. */
      momentum,
      /** tau of equation 1. */
      temperature,
      /** Whether the keys are normalized in other groups than their queries (section 3.3). */
      shuffleBN: z.boolean(),
      /** Whether each view is once the query and once the key, as in the official CIFAR-10 demo; the paper's loss is not. */
      symmetric: z.boolean(),
      chunkSize,
    })
    .strict(),
  trained: [queryName],
  check: ({ queueSize, symmetric, chunkSize }, { batchSize, bnGroups }) => {
    assertQueueFits(queueSize, batchSize);
    if (chunkSize === undefined) return;
    if (symmetric) {
      throw new InputError(
        "Cannot encode the batch in chunks: the symmetric loss takes it at once; leave out chunkSize",
      );
    }
    assertChunksFit(chunkSize, { batchSize, bnGroups, viewsInOnePass: 1 });
  },
  start: ({ shuffleBN, symmetric, chunkSize, ...settings }, { random, ...context }) => {
    const streams = { encoder: random("initialization"), queue: random("queue") };
    const state = createMoco({ ...context, ...settings }, streams);
    const { queryEncoder, keyEncoder, queue } = state;
    return {
      encoder: queryEncoder,
      networks: { [queryName]: queryEncoder, [keyName]: keyEncoder },
      buffers: queue.buffers,
      views: twoViews,
      draw: (batch) => (shuffleBN ? drawPermutation(batch, symmetric ? 2 : 1) : {}),
      step: ({ views: [queryView, keyView], indices: images, drawn: { permutation, secondPermutation } }) => {
        const inputs = { queryView: queryView!, keyView: keyView!, images };
        return symmetric
          ? symmetricMocoStep(state, { ...inputs, permutations: [permutation, secondPermutation] })
          : mocoStep(state, { ...inputs, permutation });
      },
      inChunks:
        chunkSize === undefined
          ? undefined
          : () => {
              const chunked = new ChunkedMoco(state, (context.bnGroups * chunkSize) / context.batchSize);
              return {
                step: (batch) => {
                  const permutation = shuffleBN ? drawPermutation(batch).permutation : undefined;
                  return chunked.step(batch, { size: chunkSize, permutation });
                },
                dispose: () => chunked.dispose(),
              };
            },
      checkRestored: () => queue.assertWholeBatches(context.batchSize),
    };
  },
});
