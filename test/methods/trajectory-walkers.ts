import { tf } from "../../src/engine/tf";
import { endToEndStep } from "../../src/methods/end-to-end";
import { contrastLogits } from "../../src/methods/losses";
import { MemoryBank, memoryBankStep } from "../../src/methods/memory-bank";
import { mocoStep, type Moco } from "../../src/methods/moco";
import { KeyQueue } from "../../src/methods/queue";
import { encodeShuffled } from "../../src/methods/shuffling-bn";
import { simclrStep } from "../../src/methods/simclr";
import { disposeEncoder, encode } from "../../src/nn/encoder";
import {
  encodeAside,
  hashedUnitRows,
  optimize,
  startingEncoder,
  view,
  type GoldenStep,
  type GoldenTrajectory,
  type Walker,
} from "./golden-trajectory";

/** MoCo as a trajectory starts it. */
export function startMoco({ config, encoder }: GoldenTrajectory): Moco {
  const { queueSize, momentum, symmetric } = config;
  return {
    config: {
      ...config,
      encoder,
      queueSize: queueSize!,
      momentum: momentum!,
      symmetric: symmetric!,
      shuffleBN: true,
    },
    queryEncoder: startingEncoder(encoder),
    keyEncoder: startingEncoder(encoder),
    queue: new KeyQueue(hashedUnitRows(queueSize!, config.dimension)),
  };
}

/** What a walker of MoCo is made of; mutations put their own in place of a part, or change the networks at the start. */
export interface MocoParts {
  readonly moco: Moco;
  readonly step: typeof mocoStep;
  readonly optimizer: Pick<ReturnType<typeof optimize>, "apply">;
}

export function mocoWalker(
  trajectory: GoldenTrajectory,
  change: (parts: MocoParts) => Partial<MocoParts> | void = () => undefined,
): Walker {
  const moco = startMoco(trajectory);
  const sgd = optimize(trajectory, [moco.queryEncoder]);
  const { step, optimizer } = { step: mocoStep, optimizer: sgd, ...change({ moco, step: mocoStep, optimizer: sgd }) };
  return {
    step: (given, index) => {
      const views = [0, 1].map((which) => view(trajectory, given.indices, index, which as 0 | 1));
      const { keys, pointer } = moco.queue;
      const before = { keys: tf.clone(keys), pointer };
      const result = step(moco, views[0]!, views[1]!, permutationsOf(given));
      const logits = mocoLogits(moco, views, before);
      optimizer.apply(result, index);
      tf.dispose([...views, before.keys]);
      return { ...result, logits };
    },
    networks: { "encoder_q.": moco.queryEncoder, "encoder_k.": moco.keyEncoder },
    memory: () => ({ name: "queue", rows: moco.queue.keys }),
    dispose: () => {
      sgd.dispose();
      [moco.queryEncoder, moco.keyEncoder].forEach(disposeEncoder);
      moco.queue.dispose();
    },
  };
}

/** The logits that a step had: its keys are what is new in the queue, and its query encoder has not moved yet. */
function mocoLogits(
  { config, queryEncoder, queue }: Moco,
  views: readonly tf.Tensor4D[],
  before: { keys: tf.Tensor2D; pointer: number },
): tf.Tensor2D {
  return tf.tidy(() => {
    const count = views[0]!.shape[0];
    const newKeys = (batch: number) =>
      tf.slice2d(queue.keys, [(before.pointer + batch * count) % queue.size, 0], [count, -1]);
    const against = (query: number, keys: tf.Tensor2D) =>
      contrastLogits(
        encodeAside(queryEncoder, (copy) => encode(copy, views[query]!, config.bnGroups)),
        keys,
        before.keys,
        config.temperature,
      );
    // The keys of the first view lie first.
    return config.symmetric ? tf.concat2d([against(0, newKeys(1)), against(1, newKeys(0))], 0) : against(0, newKeys(0));
  });
}

export function endToEndWalker(trajectory: GoldenTrajectory): Walker {
  const { config, encoder } = trajectory;
  const [queryEncoder, keyEncoder] = [startingEncoder(encoder), startingEncoder(encoder)];
  const optimizer = optimize(trajectory, [queryEncoder, keyEncoder]);
  return {
    step: (given, index) => {
      const [query, key] = [view(trajectory, given.indices, index, 0), view(trajectory, given.indices, index, 1)];
      const { bnGroups, temperature } = config;
      const logits = tf.tidy(() => {
        const queries = encodeAside(queryEncoder, (copy) => encode(copy, query, bnGroups));
        const keys = encodeAside(keyEncoder, (copy) => encodeShuffled(copy, key, bnGroups, permutationsOf(given)));
        return tf.div<tf.Tensor2D>(tf.matMul(queries, keys, false, true), temperature);
      });
      const endToEnd = { config: { ...config, encoder, shuffleBN: true }, queryEncoder, keyEncoder };
      const result = endToEndStep(endToEnd, query, key, permutationsOf(given));
      optimizer.apply(result, index);
      tf.dispose([query, key]);
      return { ...result, logits };
    },
    networks: { "encoder_q.": queryEncoder, "encoder_k.": keyEncoder },
    dispose: () => {
      optimizer.dispose();
      [queryEncoder, keyEncoder].forEach(disposeEncoder);
    },
  };
}

export function memoryBankWalker(trajectory: GoldenTrajectory): Walker {
  const { config, encoder: encoderConfig } = trajectory;
  const encoder = startingEncoder(encoderConfig);
  const bank = new MemoryBank(hashedUnitRows(config.images, config.dimension));
  const optimizer = optimize(trajectory, [encoder]);
  return {
    step: (given, index) => {
      const images = view(trajectory, given.indices, index, 0);
      const [indices, negatives] = [Int32Array.from(given.indices), Int32Array.from(given.negatives!)];
      const { bnGroups, temperature } = config;
      const logits = tf.tidy(() => {
        const queries = encodeAside(encoder, (copy) => encode(copy, images, bnGroups));
        return contrastLogits(queries, bank.at(indices), bank.at(negatives), temperature);
      });
      const method = {
        config: { ...config, encoder: encoderConfig, negatives: negatives.length, momentum: 0.5 },
        encoder,
        bank,
      };
      const result = memoryBankStep(method, images, indices, negatives);
      optimizer.apply(result, index);
      images.dispose();
      return { ...result, logits };
    },
    networks: { "encoder.": encoder },
    memory: () => ({ name: "bank", rows: bank.entries }),
    dispose: () => {
      optimizer.dispose();
      disposeEncoder(encoder);
      bank.dispose();
    },
  };
}

export function simclrWalker(trajectory: GoldenTrajectory): Walker {
  const { config, encoder: encoderConfig } = trajectory;
  const encoder = startingEncoder(encoderConfig);
  const optimizer = optimize(trajectory, [encoder]);
  return {
    step: (given, index) => {
      const [first, second] = [view(trajectory, given.indices, index, 0), view(trajectory, given.indices, index, 1)];
      const logits = tf.tidy(() => {
        const both = tf.concat4d([first, second], 0);
        const embeddings = encodeAside(encoder, (copy) => encode(copy, both, config.bnGroups));
        return tf.div<tf.Tensor2D>(tf.matMul(embeddings, embeddings, false, true), config.temperature);
      });
      const result = simclrStep({ config: { ...config, encoder: encoderConfig }, encoder }, first, second);
      optimizer.apply(result, index);
      tf.dispose([first, second]);
      return { ...result, logits };
    },
    networks: { "encoder.": encoder },
    dispose: () => {
      optimizer.dispose();
      disposeEncoder(encoder);
    },
  };
}

function permutationsOf({ permutations }: GoldenStep): () => Int32Array {
  const left = [...permutations!];
  return () => Int32Array.from(left.shift()!);
}
