import { z } from "zod";
import { tf } from "../engine/tf";
import { copyEncoder, createEncoder, encode, type Encoder } from "../nn/encoder";
import { assertChunksFit, ChunkedEncoder, differentiateEmbeddings, type Chunk, type Rows } from "./gradient-cache";
import { crossEntropy, topOneAccuracy } from "./losses";
import { defineMethod, twoViews, type Batch } from "./method";
import type { MocoInputs } from "./moco";
import { keyName, queryName } from "./network-names";
import { chunkSize, temperature } from "./settings";
import { drawPermutation, encodeShuffled } from "./shuffling-bn";
import { differentiate, type Objective, type StepResult } from "./step";

/** Two encoders, equal at the start and each updated by its own gradient. */
export interface EndToEnd {
  readonly queryEncoder: Encoder;
  readonly keyEncoder: Encoder;
  readonly temperature: number;
  readonly bnGroups: number;
}

/**
 * One step of the end-to-end mechanism (figure 2a), up to the gradients of both encoders, query encoder first.
 *
 * The keys of the batch are the dictionary: one positive, N - 1 negatives. The gradient flows to the keys too, back
 * through the shuffle. The paper's authors never released theirs; the loss is that of equation 1.
 *
 * The dictionary is the batch, so K is the batch size.
 */
export function endToEndStep(
  { queryEncoder, keyEncoder, temperature, bnGroups }: EndToEnd,
  { queryView, keyView, permutation }: Omit<MocoInputs, "images">,
): StepResult {
  return differentiate([queryEncoder, keyEncoder], () => {
    const queries = encode(queryEncoder, queryView, { bnGroups });
    const keys = encodeShuffled(keyEncoder, keyView, { bnGroups, permutation });
    return matchInBatch(queries, keys, temperature);
  });
}

/** Both encoders, each taking a batch chunk by chunk. */
export interface ChunkedEndToEnd extends Pick<EndToEnd, "temperature"> {
  readonly queries: ChunkedEncoder;
  readonly keys: ChunkedEncoder;
}

/**
 * The same step with the memory of one chunk (gradient cache): equal to the plain one where the chunks hold whole groups.
 *
 * @param batch - its first view is the query's, its second the key's
 * @param chunks.size - images encoded at a time
 * @param chunks.permutation - as in {@link endToEndStep}, [N]
 */
export function endToEndStepInChunks(
  { queries: queryEncoder, keys: keyEncoder, temperature }: ChunkedEndToEnd,
  { view, size }: Pick<Batch, "view" | "size">,
  { size: chunkSize, permutation }: { readonly size: number; readonly permutation: Int32Array | undefined },
): StepResult {
  const inOrder = Int32Array.from({ length: size }, (_, position) => position);
  const order = permutation ?? inOrder;
  const backInOrder = new Int32Array(size);
  order.forEach((source, position) => (backInOrder[source] = position));
  const chunksOf = (which: 0 | 1, positions: Int32Array): Chunk[] =>
    Array.from({ length: size / chunkSize }, (_, chunk) => () => {
      return view(which, positions.subarray(chunk * chunkSize, (chunk + 1) * chunkSize));
    });
  const [queryChunks, keyChunks] = [chunksOf(0, inOrder), chunksOf(1, order)];

  const embedded = [queryEncoder.encode(queryChunks), keyEncoder.encode(keyChunks)];
  const { loss, accuracy, gradients } = differentiateEmbeddings(
    embedded,
    size,
    chunkSize,
    ([queries, shuffledKeys], rows) => {
      const keys = tf.gather(shuffledKeys!, tf.tensor1d(backInOrder, "int32"));
      return matchInBatch(queries!, keys, temperature, rows);
    },
  );
  const [toQueries, toKeys] = gradients as [tf.Tensor2D, tf.Tensor2D];
  const result = {
    loss,
    accuracy,
    gradients: [queryEncoder.backpropagate(queryChunks, toQueries), keyEncoder.backpropagate(keyChunks, toKeys)],
  };
  tf.dispose([...gradients, ...embedded]);
  return result;
}

/** InfoNCE with the batch as the dictionary: the positive of query i is key i. The mean is over some rows, by default all. */
function matchInBatch(
  queries: tf.Tensor2D,
  keys: tf.Tensor2D,
  temperature: number,
  { first, count }: Rows = { first: 0, count: queries.shape[0] },
): Objective {
  const searching = tf.slice2d(queries, [first, 0], [count, queries.shape[1]]);
  const logits = tf.div<tf.Tensor2D>(tf.matMul(searching, keys, false, true), temperature);
  const own = tf.range(first, first + count, 1, "int32");
  return { loss: crossEntropy(logits, own), accuracy: topOneAccuracy(logits, own) };
}

/** The end-to-end mechanism, as recipes name it. */
export const endToEnd = defineMethod({
  settings: z.object({ kind: z.literal("end-to-end"), temperature, shuffleBN: z.boolean(), chunkSize }).strict(),
  trained: [queryName, keyName],
  check: ({ chunkSize }, { batchSize, bnGroups }) => {
    if (chunkSize !== undefined) assertChunksFit(chunkSize, { batchSize, bnGroups, viewsInOnePass: 1 });
  },
  start: ({ temperature, shuffleBN, chunkSize }, { encoder, batchSize, bnGroups, random }) => {
    const queryEncoder = createEncoder(encoder, random("initialization"));
    const keyEncoder = copyEncoder(queryEncoder);
    return {
      encoder: queryEncoder,
      networks: { [queryName]: queryEncoder, [keyName]: keyEncoder },
      views: twoViews,
      draw: (batch) => (shuffleBN ? drawPermutation(batch) : {}),
      step: ({ views: [queryView, keyView], drawn: { permutation } }) =>
        endToEndStep(
          { queryEncoder, keyEncoder, temperature, bnGroups },
          { queryView: queryView!, keyView: keyView!, permutation },
        ),
      inChunks:
        chunkSize === undefined
          ? undefined
          : () => {
              const [queries, keys] = [queryEncoder, keyEncoder].map(
                (one) => new ChunkedEncoder(one, (bnGroups * chunkSize) / batchSize),
              ) as [ChunkedEncoder, ChunkedEncoder];
              return {
                step: (batch) => {
                  const { permutation } = shuffleBN ? drawPermutation(batch) : { permutation: undefined };
                  return endToEndStepInChunks({ queries, keys, temperature }, batch, { size: chunkSize, permutation });
                },
                dispose: () => [queries, keys].forEach((one) => one.dispose()),
              };
            },
    };
  },
});
