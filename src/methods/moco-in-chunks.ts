import { tf } from "../engine/tf";
import { ChunkedEncoder, differentiateEmbeddings, type Chunk } from "./gradient-cache";
import { contrastAccuracy, contrastLogits, infoNCE } from "./losses";
import type { Batch } from "./method";
import type { Moco } from "./moco";
import { updateMomentumEncoder } from "./momentum-encoder";
import type { StepResult } from "./step";

/** Both encoders of a MoCo, each taking a batch chunk by chunk. Owns their sessions: call `dispose`. */
export class ChunkedMoco {
  private readonly queries: ChunkedEncoder;
  private readonly keys: ChunkedEncoder;

  /** @param groups - batch normalization groups of a chunk */
  constructor(
    private readonly moco: Moco,
    groups: number,
  ) {
    this.queries = new ChunkedEncoder(moco.queryEncoder, groups);
    this.keys = new ChunkedEncoder(moco.keyEncoder, groups);
  }

  /**
   * The step of `mocoStep` with the memory of one chunk: equal to it where the chunks hold whole groups of batch normalization.
   * Each key and each gradient is of one group alone, so that keys are encoded and gradients summed chunk by chunk.
   *
   * @param chunks.size - images encoded at a time
   * @param chunks.permutation - order in which shuffling BN sends the keys to their groups, [N]
   */
  step(
    { view, size, indices }: Pick<Batch, "view" | "size" | "indices">,
    { size: chunkSize, permutation }: { readonly size: number; readonly permutation: Int32Array | undefined },
  ): StepResult {
    const { queryEncoder, keyEncoder, queue, momentum, temperature } = this.moco;
    const inOrder = Int32Array.from({ length: size }, (_, position) => position);
    const order = permutation ?? inOrder;
    const backInOrder = new Int32Array(size);
    order.forEach((source, position) => (backInOrder[source] = position));
    const chunksOf = (which: 0 | 1, positions: Int32Array): Chunk[] =>
      Array.from({ length: size / chunkSize }, (_, chunk) => () => {
        return view(which, positions.subarray(chunk * chunkSize, (chunk + 1) * chunkSize));
      });

    updateMomentumEncoder(keyEncoder, queryEncoder, { momentum });
    const shuffled = this.keys.encode(chunksOf(1, order));
    const keys = tf.tidy(() => tf.gather(shuffled, tf.tensor1d(backInOrder, "int32")));
    const queryChunks = chunksOf(0, inOrder);
    const queries = this.queries.encode(queryChunks);
    const { loss, accuracy, gradients } = differentiateEmbeddings(
      [queries],
      size,
      chunkSize,
      ([all], { first, count }) => {
        const rows = (of: tf.Tensor2D) => tf.slice2d(of, [first, 0], [count, of.shape[1]]);
        const logits = contrastLogits(rows(all!), rows(keys), { negatives: queue.keys, temperature });
        return { loss: infoNCE(logits), accuracy: contrastAccuracy(logits) };
      },
    );
    const gradient = this.queries.backpropagate(queryChunks, gradients[0]!);
    tf.tidy(() => queue.replaceOldest(keys, tf.tensor1d(indices, "int32")));
    tf.dispose([shuffled, keys, queries, ...gradients]);
    return { loss, accuracy, gradients: [gradient] };
  }

  dispose(): void {
    this.queries.dispose();
    this.keys.dispose();
  }
}
