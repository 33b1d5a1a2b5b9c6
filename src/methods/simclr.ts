import { tf } from "../engine/tf";
import { encode, type Encoder, type EncoderConfig } from "../nn/encoder";
import { backpropagateChunks, differentiateEmbeddings, encodeChunks, type Chunk, type Rows } from "./gradient-cache";
import { crossEntropy, topOneAccuracy } from "./losses";
import { differentiate, type Objective, type StepResult } from "./step";

/** What defines SimCLR (Chen et al., 2020): one encoder, and the other views of the batch as negatives. */
export interface SimclrConfig {
  readonly encoder: EncoderConfig;
  readonly temperature: number;
  /** Parts of the 2N views with batch statistics of their own; 1 is SimCLR's global batch normalization. */
  readonly bnGroups: number;
}

/** One encoder. Owns its tensors. */
export interface Simclr {
  readonly config: SimclrConfig;
  readonly encoder: Encoder;
}

/**
 * One step of SimCLR (Algorithm 1 of its paper), up to the gradient.
 *
 * @param first - a view of each image, [N, H, W, 3], normalized
 * @param second - another view of the same images
 */
export function simclrStep({ config, encoder }: Simclr, first: tf.Tensor4D, second: tf.Tensor4D): StepResult {
  const { bnGroups, temperature } = config;
  const views = tf.concat4d([first, second], 0);
  const result = differentiate([encoder], () => ntXent(encode(encoder, views, bnGroups), temperature));
  views.dispose();
  return result;
}

/**
 * The same step with the memory of one chunk (gradient cache): equal to the plain one where the chunks hold whole groups.
 *
 * @param view - makes the view of some images of the batch
 * @param size - N
 * @param chunkSize - views encoded at a time; divides N
 */
export function simclrStepInChunks(
  { config, encoder }: Simclr,
  view: (which: 0 | 1, positions: Int32Array) => tf.Tensor4D,
  size: number,
  chunkSize: number,
): StepResult {
  const perView = size / chunkSize;
  const chunks = Array.from({ length: 2 * perView }, (_, index): Chunk => {
    const start = (index % perView) * chunkSize;
    const positions = Int32Array.from({ length: chunkSize }, (_unused, offset) => start + offset);
    return () => view(index < perView ? 0 : 1, positions);
  });
  const groups = (config.bnGroups * chunkSize) / (2 * size);

  const embeddings = encodeChunks(encoder, chunks, groups);
  const { loss, accuracy, gradients } = differentiateEmbeddings([embeddings], 2 * size, chunkSize, ([all], rows) =>
    ntXent(all!, config.temperature, rows),
  );
  const result = { loss, accuracy, gradients: [backpropagateChunks(encoder, chunks, groups, gradients[0]!)] };
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
export function ntXent(
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
