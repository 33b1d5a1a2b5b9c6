import { z } from "zod";
import { tf } from "../engine/tf";
import { createEncoder, encode, type Encoder } from "../nn/encoder";
import { assertChunksFit, ChunkedEncoder, differentiateEmbeddings, type Chunk, type Rows } from "./gradient-cache";
import { crossEntropy, topOneAccuracy } from "./losses";
import { defineMethod, twoViews, type Batch } from "./method";
import { queryName } from "./network-names";
import { chunkSize, temperature } from "./settings";
import { differentiate, type Objective, type StepResult } from "./step";

/** SimCLR (Chen et al., 2020): one encoder, and the other views of the batch as negatives. */
export interface Simclr {
  readonly encoder: Encoder;
  readonly temperature: number;
  /** Parts of the 2N views with batch statistics of their own; 1 is SimCLR's global batch normalization. */
  readonly bnGroups: number;
}

/**
 * One step of SimCLR (Algorithm 1 of its paper), up to the gradient.
 *
 * @param views.first - a view of each image, [N, H, W, 3], normalized
 * @param views.second - another view of the same images
 */
export function simclrStep(
  { encoder, temperature, bnGroups }: Simclr,
  { first, second }: { readonly first: tf.Tensor4D; readonly second: tf.Tensor4D },
): StepResult {
  const views = tf.concat4d([first, second], 0);
  const result = differentiate([encoder], () => ntXent(encode(encoder, views, { bnGroups }), temperature));
  views.dispose();
  return result;
}

/**
 * The same step with the memory of one chunk (gradient cache): equal to the plain one where the chunks hold whole groups.
 *
 * @param batch - of two views
 * @param chunks.size - views encoded at a time; divides N
 */
export function simclrStepInChunks(
  { encoder, temperature }: { readonly encoder: ChunkedEncoder; readonly temperature: number },
  { view, size }: Pick<Batch, "view" | "size">,
  { size: chunkSize }: { readonly size: number },
): StepResult {
  const perView = size / chunkSize;
  const chunks = Array.from({ length: 2 * perView }, (_, index): Chunk => {
    const start = (index % perView) * chunkSize;
    const positions = Int32Array.from({ length: chunkSize }, (_unused, offset) => start + offset);
    return () => view(index < perView ? 0 : 1, positions);
  });

  const embeddings = encoder.encode(chunks);
  const { loss, accuracy, gradients } = differentiateEmbeddings([embeddings], 2 * size, chunkSize, ([all], rows) =>
    ntXent(all!, temperature, rows),
  );
  const result = { loss, accuracy, gradients: [encoder.backpropagate(chunks, gradients[0]!)] };
  tf.dispose([...gradients, embeddings]);
  return result;
}

/** Stands for minus infinity: exp of it is 0 at any temperature. */
const excluded = -1e9;

/**
 * NT-Xent (equation 1 of SimCLR), mean over all 2N views: each view has to find the other view of its image among all
 * views but itself. The official code sums the means over the two halves, which is twice this.
 *
 * @param embeddings - unit vectors, [2N, C]; rows i and N + i are views of one image
 * @param rows - views that the mean is over; all by default
 */
function ntXent(
  embeddings: tf.Tensor2D,
  temperature: number,
  { first, count }: Rows = { first: 0, count: embeddings.shape[0] },
): Objective {
  return tf.tidy(() => {
    const [views, dimension] = embeddings.shape;
    const searching = tf.slice2d(embeddings, [first, 0], [count, dimension]);
    const similarities = tf.div<tf.Tensor2D>(tf.matMul(searching, embeddings, false, true), temperature);
    const own = tf.range(first, first + count, 1, "int32");
    const itself = tf.oneHot(own, views, 1, 0, "float32");
    const logits = tf.add<tf.Tensor2D>(similarities, tf.mul(itself, excluded));
    const partners = tf.tensor1d(
      Int32Array.from({ length: count }, (_, row) => (first + row + views / 2) % views),
      "int32",
    );
    return { loss: crossEntropy(logits, partners), accuracy: topOneAccuracy(logits, partners) };
  });
}

/** SimCLR, as recipes name it. */
export const simclr = defineMethod({
  settings: z.object({ kind: z.literal("simclr"), temperature, chunkSize }).strict(),
  trained: [queryName],
  check: ({ chunkSize }, { batchSize, bnGroups }) => {
    if (chunkSize !== undefined) assertChunksFit(chunkSize, { batchSize, bnGroups, viewsInOnePass: 2 });
  },
  start: ({ temperature, chunkSize }, { encoder: config, batchSize, bnGroups, random }) => {
    const encoder = createEncoder(config, random("initialization"));
    return {
      encoder,
      networks: { [queryName]: encoder },
      views: twoViews,
      step: ({ views: [first, second] }) =>
        simclrStep({ encoder, temperature, bnGroups }, { first: first!, second: second! }),
      inChunks:
        chunkSize === undefined
          ? undefined
          : () => {
              const chunked = new ChunkedEncoder(encoder, (bnGroups * chunkSize) / (2 * batchSize));
              return {
                step: (batch) => simclrStepInChunks({ encoder: chunked, temperature }, batch, { size: chunkSize }),
                dispose: () => chunked.dispose(),
              };
            },
    };
  },
});
