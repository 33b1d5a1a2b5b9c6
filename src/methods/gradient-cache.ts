import { InputError } from "../errors";
import { tf } from "../engine/tf";
import { createProgram, type Program } from "../engine/program";
import type { NamedTensors, TensorFunction } from "../engine/tensor-function";
import { copyTensor } from "../engine/recording";
import { Variable } from "../engine/variable";
import { headOutputs, l2Normalize, type Encoder } from "../nn/encoder";
import { disposeStatistics, meanOverGroups, moveRunningAverages, type LayerStatistics } from "../nn/running-averages";
import { gradientsOf } from "../nn/gradients";
import type { BatchSettings } from "./method";
import type { Objective } from "./step";

/** Makes the images of one part of a batch, [chunk, H, W, 3]; the receiver disposes them. */
export type Chunk = () => tf.Tensor4D;

/**
 * The gradient cache (Gao et al., 2021): an encoder that takes a batch chunk by chunk.
 *
 * A loss whose negatives are the rest of the batch cannot be cut into parts and summed, as gradient accumulation does. But
 * its gradient with respect to the embeddings can be taken at once, they are small, and then be sent back chunk by chunk.
 *
 * Both passes over a chunk are recorded at the first one. Owns the session and what it sums up: call `dispose`; the encoder
 * stays its owner's.
 */
export class ChunkedEncoder {
  private program: Program<Record<"encode" | "backpropagate", TensorFunction>> | undefined;
  /** Sum over the chunks of what batch normalization saw. */
  private readonly statistics: Variable<tf.Tensor1D>;
  /** Sum over the chunks of the gradient. */
  private readonly gradient: Variable<tf.Tensor1D>;

  /** @param groups - batch normalization groups of a chunk */
  constructor(
    private readonly encoder: Encoder,
    private readonly groups: number,
  ) {
    this.statistics = new Variable("the statistics of the chunks", tf.zeros([encoder.running.size]));
    this.gradient = new Variable("the gradient of the chunks", tf.zeros([encoder.parameters.size]));
  }

  /**
   * First pass: encodes the chunks, and keeps nothing for a gradient. The running averages move once, as if the batch had been
   * encoded in one piece.
   *
   * @returns unit vectors of all chunks, [N, dimension]
   */
  encode(chunks: readonly Chunk[]): tf.Tensor2D {
    const { running } = this.encoder;
    this.statistics.assign(tf.zeros([running.size]));
    const parts = chunks.map((chunk) => this.run("encode", { images: chunk() })["embeddings"] as tf.Tensor2D);
    tf.tidy(() => moveRunningAverages(running, tf.div<tf.Tensor1D>(this.statistics.value, chunks.length)));
    const all = tf.concat2d(parts, 0);
    tf.dispose(parts);
    return all;
  }

  /**
   * Second pass: encodes each chunk again and sends its part of the loss's gradient back through the encoder.
   *
   * @param toEmbeddings - gradient of the loss with respect to the embeddings, [N, dimension]
   * @returns gradient with respect to the encoder's parameter vector, [size]
   */
  backpropagate(chunks: readonly Chunk[], toEmbeddings: tf.Tensor2D): tf.Tensor1D {
    const [count, dimension] = toEmbeddings.shape;
    const chunkSize = count / chunks.length;
    this.gradient.assign(tf.zeros([this.encoder.parameters.size]));
    chunks.forEach((chunk, index) => {
      const incoming = tf.slice2d(toEmbeddings, [index * chunkSize, 0], [chunkSize, dimension]);
      this.run("backpropagate", { images: chunk(), incoming });
    });
    return copyTensor(this.gradient.value);
  }

  dispose(): void {
    this.program?.dispose();
    this.statistics.dispose();
    this.gradient.dispose();
  }

  /** Runs a pass over a chunk and disposes its inputs. */
  private run(pass: "encode" | "backpropagate", inputs: NamedTensors): NamedTensors {
    this.program ??= this.record(inputs["images"] as tf.Tensor4D);
    try {
      return this.program.run(pass, inputs);
    } finally {
      tf.dispose(Object.values(inputs));
    }
  }

  private record({ shape }: tf.Tensor4D) {
    const { encoder, groups } = this;
    const { parameters, running, config } = encoder;
    return createProgram({
      encode: {
        inputs: { images: { shape } },
        compute: ({ images }) => {
          const seen: LayerStatistics[] = [];
          const embeddings = l2Normalize(headOutputs(encoder, images as tf.Tensor4D, groups, seen));
          this.statistics.assign(tf.add(this.statistics.value, meanOverGroups(running, seen, groups)));
          return { embeddings };
        },
      },
      backpropagate: {
        inputs: { images: { shape }, incoming: { shape: [shape[0], config.dimension] } },
        compute: ({ images, incoming }) => {
          const seen: LayerStatistics[] = []; // counted in the first pass
          // The gradient of <embeddings, incoming> is the incoming gradient, sent back.
          const { gradients } = gradientsOf([parameters], () =>
            tf.sum(tf.mul(l2Normalize(headOutputs(encoder, images as tf.Tensor4D, groups, seen)), incoming!)),
          );
          disposeStatistics(seen);
          this.gradient.assign(tf.add(this.gradient.value, gradients[0]!));
          return {};
        },
      },
    });
  }
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
