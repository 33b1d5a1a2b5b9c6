import type { Random } from "../engine/random";
import { tf } from "../engine/tf";
import { copyEncoder, createEncoder, encode, type Encoder, type EncoderConfig } from "../nn/encoder";
import { backpropagateChunks, differentiateEmbeddings, encodeChunks, type Chunk, type Rows } from "./gradient-cache";
import { crossEntropy, topOneAccuracy } from "./losses";
import { encodeShuffled } from "./shuffling-bn";
import { differentiate, type Objective, type StepResult } from "./step";

/** What defines the end-to-end mechanism (figure 2a): the dictionary is the batch, so K is the batch size. */
export interface EndToEndConfig {
  readonly encoder: EncoderConfig;
  readonly temperature: number;
  readonly bnGroups: number;
  readonly shuffleBN: boolean;
}

/** Two encoders, equal at the start and each updated by its own gradient. Owns their tensors. */
export interface EndToEnd {
  readonly config: EndToEndConfig;
  readonly queryEncoder: Encoder;
  readonly keyEncoder: Encoder;
}

/**
 * One step of the end-to-end mechanism (figure 2a), up to the gradients of both encoders, query encoder first.
 *
 * The keys of the batch are the dictionary: one positive, N - 1 negatives. The gradient flows to the keys too, back
 * through the shuffle. The paper's authors never released theirs; the loss is that of equation 1.
 *
 * @param queryView - [N, H, W, 3], normalized
 * @param keyView - another random view of the same images
 * @param permutation - order in which shuffling BN sends the keys to their groups, int32 [N]
 */
export function endToEndStep(
  { config, queryEncoder, keyEncoder }: EndToEnd,
  queryView: tf.Tensor4D,
  keyView: tf.Tensor4D,
  permutation: tf.Tensor1D | undefined,
): StepResult {
  const { bnGroups, temperature } = config;
  return differentiate([queryEncoder, keyEncoder], () => {
    const queries = encode(queryEncoder, queryView, bnGroups);
    const keys = encodeShuffled(keyEncoder, keyView, bnGroups, permutation);
    return matchInBatch(queries, keys, temperature);
  });
}

/**
 * The same step with the memory of one chunk (gradient cache): equal to the plain one where the chunks hold whole groups.
 *
 * @param view - makes the view of some images of the batch
 * @param size - N
 * @param chunkSize - images encoded at a time
 * @param permutation - as in {@link endToEndStep}, [N]
 */
export function endToEndStepInChunks(
  { config, queryEncoder, keyEncoder }: EndToEnd,
  view: (which: 0 | 1, positions: Int32Array) => tf.Tensor4D,
  size: number,
  chunkSize: number,
  permutation: Int32Array | undefined,
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
  const groups = (config.bnGroups * chunkSize) / size;

  const embedded = [encodeChunks(queryEncoder, queryChunks, groups), encodeChunks(keyEncoder, keyChunks, groups)];
  const { loss, accuracy, gradients } = differentiateEmbeddings(
    embedded,
    size,
    chunkSize,
    ([queries, shuffledKeys], rows) => {
      const keys = tf.gather(shuffledKeys!, tf.tensor1d(backInOrder, "int32"));
      return matchInBatch(queries!, keys, config.temperature, rows);
    },
  );
  const [toQueries, toKeys] = gradients as [tf.Tensor2D, tf.Tensor2D];
  const result = {
    loss,
    accuracy,
    gradients: [
      backpropagateChunks(queryEncoder, queryChunks, groups, toQueries),
      backpropagateChunks(keyEncoder, keyChunks, groups, toKeys),
    ],
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

/** Initializes both encoders with the same weights. */
export function createEndToEnd(config: EndToEndConfig, random: Random): EndToEnd {
  const queryEncoder = createEncoder(config.encoder, random);
  return { config, queryEncoder, keyEncoder: copyEncoder(queryEncoder) };
}
