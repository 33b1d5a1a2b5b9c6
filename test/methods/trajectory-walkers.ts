import { copyTensor } from "../../src/engine/recording";
import { tf } from "../../src/engine/tf";
import { endToEndStep } from "../../src/methods/end-to-end";
import { contrastLogits } from "../../src/methods/losses";
import { MemoryBank, memoryBankStep, type MemoryBankInputs } from "../../src/methods/memory-bank";
import { mocoStep, type Moco, type MocoInputs } from "../../src/methods/moco";
import { KeyQueue } from "../../src/methods/queue";
import { encodeShuffled } from "../../src/methods/shuffling-bn";
import { simclrStep } from "../../src/methods/simclr";
import { symmetricMocoStep } from "../../src/methods/symmetric-moco";
import { copyEncoder, disposeEncoder, encode, type Encoder } from "../../src/nn/encoder";
import {
  encodeAside,
  hashedUnitRows,
  integers,
  optimize,
  startingEncoder,
  stepper,
  view,
  type GoldenTrajectory,
  type Walker,
} from "./golden-trajectory";

/** MoCo as a trajectory starts it. */
function startMoco({ config, encoder }: GoldenTrajectory): Moco {
  const { queueSize, momentum, temperature, bnGroups } = config;
  return {
    momentum: momentum!,
    temperature,
    bnGroups,
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
  /** Something done before a step. */
  readonly before?: (index: number) => void;
  /** "op by op" for a step that looks into its tensors. @default "recorded" */
  readonly form?: "recorded" | "op by op";
}

export function mocoWalker(
  trajectory: GoldenTrajectory,
  change: (parts: MocoParts) => Partial<MocoParts> | void = () => undefined,
): Walker {
  const moco = startMoco(trajectory);
  const sgd = optimize(trajectory, [moco.queryEncoder]);
  const parts: MocoParts = { moco, step: mocoStep, optimizer: sgd };
  const { step, optimizer, before: act, form } = { ...parts, ...change(parts) };
  const compute = ({ permutation, second, ...views }: Readonly<Record<string, tf.Tensor>>) => {
    const inputs = { ...views, permutation } as unknown as MocoInputs;
    if (second === undefined) return step(moco, inputs);
    const permutations = [permutation as tf.Tensor1D, second as tf.Tensor1D] as const;
    return symmetricMocoStep(moco, { ...inputs, permutations });
  };
  const steps = stepper(trajectory, { compute, optimizer }, form);
  return {
    step: (given, index) => {
      act?.(index);
      const views = [0, 1].map((which) => view(trajectory, given.indices, index, which as 0 | 1));
      const before = {
        encoder: copyEncoder(moco.queryEncoder),
        keys: copyTensor(moco.queue.keys),
        pointer: moco.queue.pointer,
      };
      const [permutation, second] = given.permutations!.map(integers);
      const inputs = {
        queryView: tf.clone(views[0]!),
        keyView: tf.clone(views[1]!),
        permutation: permutation!,
        ...(second && { second }),
      };
      const result = steps.take(inputs, index);
      const logits = mocoLogits(trajectory, moco, views, before);
      tf.dispose([...views, before.keys]);
      disposeEncoder(before.encoder);
      return { ...result, logits };
    },
    networks: { "encoder_q.": moco.queryEncoder, "encoder_k.": moco.keyEncoder },
    memory: () => ({ name: "queue", rows: moco.queue.keys }),
    dispose: () => {
      steps.dispose();
      sgd.dispose();
      [moco.queryEncoder, moco.keyEncoder].forEach(disposeEncoder);
      moco.queue.dispose();
    },
  };
}

/** The logits that a step had: its keys are what is new in the queue, its query encoder the one before the optimizer. */
function mocoLogits(
  { config }: GoldenTrajectory,
  { queue }: Moco,
  views: readonly tf.Tensor4D[],
  before: { encoder: Encoder; keys: tf.Tensor2D; pointer: number },
): tf.Tensor2D {
  return tf.tidy(() => {
    const count = views[0]!.shape[0];
    const newKeys = (batch: number) =>
      tf.slice2d(queue.keys, [(before.pointer + batch * count) % queue.size, 0], [count, -1]);
    const against = (query: number, keys: tf.Tensor2D) =>
      contrastLogits(
        encodeAside(before.encoder, (copy) => encode(copy, views[query]!, config)),
        keys,
        { negatives: before.keys, temperature: config.temperature },
      );
    // The keys of the first view lie first.
    return config.symmetric ? tf.concat2d([against(0, newKeys(1)), against(1, newKeys(0))], 0) : against(0, newKeys(0));
  });
}

export function endToEndWalker(trajectory: GoldenTrajectory): Walker {
  const { config, encoder } = trajectory;
  const [queryEncoder, keyEncoder] = [startingEncoder(encoder), startingEncoder(encoder)];
  const optimizer = optimize(trajectory, [queryEncoder, keyEncoder]);
  const endToEnd = { ...config, queryEncoder, keyEncoder };
  const compute = (inputs: Readonly<Record<string, tf.Tensor>>) =>
    endToEndStep(endToEnd, inputs as unknown as MocoInputs);
  const steps = stepper(trajectory, { compute, optimizer });
  return {
    step: (given, index) => {
      const [query, key] = [view(trajectory, given.indices, index, 0), view(trajectory, given.indices, index, 1)];
      const { bnGroups, temperature } = config;
      const logits = tf.tidy(() => {
        const queries = encodeAside(queryEncoder, (copy) => encode(copy, query, { bnGroups }));
        const keys = encodeAside(keyEncoder, (copy) =>
          encodeShuffled(copy, key, { bnGroups, permutation: integers(given.permutations![0]!) }),
        );
        return tf.div<tf.Tensor2D>(tf.matMul(queries, keys, false, true), temperature);
      });
      const result = steps.take(
        { queryView: query, keyView: key, permutation: integers(given.permutations![0]!) },
        index,
      );
      return { ...result, logits };
    },
    networks: { "encoder_q.": queryEncoder, "encoder_k.": keyEncoder },
    dispose: () => {
      steps.dispose();
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
  const method = { ...config, encoder, bank, momentum: 0.5 };
  const compute = (inputs: Readonly<Record<string, tf.Tensor>>) =>
    memoryBankStep(method, inputs as unknown as MemoryBankInputs);
  const steps = stepper(trajectory, { compute, optimizer });
  return {
    step: (given, index) => {
      const images = view(trajectory, given.indices, index, 0);
      const [indices, negatives] = [integers(given.indices), integers(given.negatives!)];
      const { bnGroups, temperature } = config;
      const logits = tf.tidy(() => {
        const queries = encodeAside(encoder, (copy) => encode(copy, images, { bnGroups }));
        return contrastLogits(queries, bank.at(indices), { negatives: bank.at(negatives), temperature });
      });
      const result = steps.take({ view: images, indices, negatives }, index);
      return { ...result, logits };
    },
    networks: { "encoder.": encoder },
    memory: () => ({ name: "bank", rows: bank.entries }),
    dispose: () => {
      steps.dispose();
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
  const simclr = { ...config, encoder };
  const compute = ({ first, second }: Readonly<Record<string, tf.Tensor>>) =>
    simclrStep(simclr, { first: first as tf.Tensor4D, second: second as tf.Tensor4D });
  const steps = stepper(trajectory, { compute, optimizer });
  return {
    step: (given, index) => {
      const [first, second] = [view(trajectory, given.indices, index, 0), view(trajectory, given.indices, index, 1)];
      const logits = tf.tidy(() => {
        const both = tf.concat4d([first, second], 0);
        const embeddings = encodeAside(encoder, (copy) => encode(copy, both, { bnGroups: config.bnGroups }));
        return tf.div<tf.Tensor2D>(tf.matMul(embeddings, embeddings, false, true), config.temperature);
      });
      const result = steps.take({ first, second }, index);
      return { ...result, logits };
    },
    networks: { "encoder.": encoder },
    dispose: () => {
      steps.dispose();
      optimizer.dispose();
      disposeEncoder(encoder);
    },
  };
}
