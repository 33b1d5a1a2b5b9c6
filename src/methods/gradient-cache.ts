import { InputError } from "../engine/errors";
import { tf } from "../engine/tf";
import { headOutputs, l2Normalize, type Encoder } from "../nn/encoder";
import { disposeStatistics, updateRunningAverages, type LayerStatistics } from "../nn/running-averages";
import { gradientsOf } from "../nn/gradients";
import type { BatchSettings } from "./method";
import type { Objective } from "./step";

/** Makes the images of one part of a batch, [chunk, H, W, 3]; the receiver disposes them. */
export type Chunk = () => tf.Tensor4D;

/**
 * First pass of the gradient cache (Gao et al., 2021): a batch encoded chunk by chunk, nothing kept for a gradient.
 *
 * A loss whose negatives are the rest of the batch cannot be cut into parts and summed, as gradient accumulation does. But
 * its gradient with respect to the embeddings can be taken at once, they are small, and then be sent back chunk by chunk.
 *
 * @param groups - batch normalization groups of a chunk
 * @returns unit vectors of all chunks, [N, dimension]
 */
export function encodeChunks(encoder: Encoder, chunks: readonly Chunk[], groups: number): tf.Tensor2D {
  const statistics: LayerStatistics[] = [];
  const parts = chunks.map((chunk) => tf.tidy(() => l2Normalize(headOutputs(encoder, chunk(), groups, statistics))));
  // Once for the whole batch, as if it had been encoded in one piece.
  updateRunningAverages(encoder, statistics, groups * chunks.length);
  const all = tf.concat2d(parts, 0);
  tf.dispose(parts);
  return all;
}

/** Some rows of a batch: those from `first` on. */
export interface Rows {
  readonly first: number;
  readonly count: number;
}

/**
 * Between the passes: the loss over the embeddings of the whole batch, and its gradient with respect to them. Taken for some
 * rows at a time, each against all: the logits of a whole batch of 4096 would be larger than everything else.
 *
 * @param rows - how many rows the loss is a mean over
 * @param blockSize - rows at a time
 * @param compute - mean loss and accuracy of some rows
 * @returns loss and accuracy, and a gradient for each tensor of embeddings, which the caller disposes
 */
export function differentiateEmbeddings(
  embeddings: readonly tf.Tensor2D[],
  rows: number,
  blockSize: number,
  compute: (embeddings: readonly tf.Tensor2D[], rows: Rows) => Objective,
): { loss: tf.Scalar; accuracy: tf.Scalar; gradients: tf.Tensor2D[] } {
  const sum = { loss: 0, accuracy: 0 };
  let gradients = embeddings.map((one) => tf.zerosLike(one));
  for (let first = 0; first < rows; first += blockSize) {
    const count = Math.min(blockSize, rows - first);
    const share = count / rows;
    let accuracy: tf.Scalar | undefined;
    const { value, grads } = tf.tidy(() =>
      tf.valueAndGrads((...inputs) => {
        const objective = compute(inputs as tf.Tensor2D[], { first, count });
        accuracy = tf.keep(objective.accuracy);
        return objective.loss;
      })([...embeddings]),
    );
    sum.loss += share * value.arraySync();
    sum.accuracy += share * accuracy!.arraySync();
    const next = gradients.map((gradient, index) =>
      tf.tidy(() => tf.add<tf.Tensor2D>(gradient, tf.mul(grads[index]!, share))),
    );
    tf.dispose([value, accuracy!, ...grads, ...gradients]);
    gradients = next;
  }
  return { loss: tf.scalar(sum.loss), accuracy: tf.scalar(sum.accuracy), gradients };
}

/**
 * Second pass: encodes each chunk again and sends its part of the loss's gradient back through the encoder.
 *
 * @param toEmbeddings - gradient of the loss with respect to the embeddings, [N, dimension]
 * @returns gradient with respect to the encoder's parameter vector, [size]
 */
export function backpropagateChunks(
  encoder: Encoder,
  chunks: readonly Chunk[],
  groups: number,
  toEmbeddings: tf.Tensor2D,
): tf.Tensor1D {
  const { parameters } = encoder;
  const [count, dimension] = toEmbeddings.shape;
  const chunkSize = count / chunks.length;
  let sum: tf.Tensor1D = tf.zeros([parameters.size]);
  chunks.forEach((chunk, index) => {
    const next = tf.tidy(() => {
      const incoming = tf.slice2d(toEmbeddings, [index * chunkSize, 0], [chunkSize, dimension]);
      const images = chunk();
      const seen: LayerStatistics[] = []; // counted in the first pass
      // The gradient of <embeddings, incoming> is the incoming gradient, sent back.
      const { gradients } = gradientsOf([parameters], () =>
        tf.sum(tf.mul(l2Normalize(headOutputs(encoder, images, groups, seen)), incoming)),
      );
      disposeStatistics(seen);
      return tf.add<tf.Tensor1D>(sum, gradients[0]!);
    });
    sum.dispose();
    sum = next;
  });
  return sum;
}

/**
 * Checks that chunks hold whole groups of batch normalization.
 *
 * @param batch.viewsInOnePass - views of each image that go through an encoder together
 * @throws InputError saying what must divide what
 */
export function assertChunksFit(
  chunkSize: number,
  { batchSize, bnGroups, viewsInOnePass }: BatchSettings & { readonly viewsInOnePass: number },
): void {
  const inOnePass = viewsInOnePass * batchSize;
  if (bnGroups < viewsInOnePass) {
    throw new InputError(
      "Cannot encode the batch in chunks: both views of the batch are one group of batch normalization; " +
        `bnGroups must be at least ${viewsInOnePass}, current value is ${bnGroups}`,
    );
  }
  const groupsOfChunk = (bnGroups * chunkSize) / inOnePass;
  if (batchSize % chunkSize !== 0 || !Number.isInteger(groupsOfChunk)) {
    throw new InputError(
      `Cannot encode the batch in chunks: chunkSize must divide the batch size ${batchSize} and be a multiple of the ` +
        `${inOnePass / bnGroups} images of a group of batch normalization, current value is ${chunkSize}`,
    );
  }
}
