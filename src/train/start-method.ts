import { InputError } from "../engine/errors";
import type { Random } from "../engine/random";
import { tf } from "../engine/tf";
import { createEndToEnd, endToEndStep, endToEndStepInChunks } from "../methods/end-to-end";
import { MemoryBank, memoryBankStep } from "../methods/memory-bank";
import type { Batch, Method } from "../methods/method";
import { createMoco, mocoStep, symmetricMocoStep } from "../methods/moco";
import { KeyQueue } from "../methods/queue";
import { simclrStep, simclrStepInChunks } from "../methods/simclr";
import { supervisedStep } from "../methods/supervised";
import { classLogits, createEncoder, disposeEncoder, type Encoder } from "../nn/encoder";
import type { HostTensor } from "../nn/safetensors";
import { hostTensor } from "../nn/state-dict";
import type { MethodKind, MethodRecipe, Recipe } from "./recipe";

type MethodOf<Kind extends MethodKind> = Extract<MethodRecipe, { kind: Kind }>;

/** What a method is made of, at the start or out of a checkpoint. */
interface Parts {
  readonly networks: Readonly<Record<string, Encoder>>;
  /** MoCo's queue. */
  readonly queue?: KeyQueue;
  /** The memory bank's entries. */
  readonly bank?: MemoryBank;
}

/** Facts of the training set that a method depends on. */
export interface TrainingSetFacts {
  readonly images: number;
  readonly classes: number;
}

const [queryName, keyName] = ["encoder_q", "encoder_k"] as const;

/** Names of a method's networks, as checkpoints have them: those of the official MoCo. */
export function networkNames({ kind }: MethodRecipe): readonly string[] {
  return kind === "moco" || kind === "end-to-end" ? [queryName, keyName] : [queryName];
}

/** Names of the networks that the optimizer moves, the first of them the one that is evaluated. */
export function trainedNetworks({ kind }: MethodRecipe): readonly string[] {
  if (kind === "random") return [];
  return kind === "end-to-end" ? [queryName, keyName] : [queryName];
}

/** Names and shapes of what a checkpoint holds besides networks and velocities. */
export function memoryShapes({ method, encoder }: Recipe): ReadonlyMap<string, readonly (number | "any")[]> {
  switch (method.kind) {
    case "moco":
      return new Map([
        ["queue", [method.queueSize, encoder.dimension]],
        ["queue_pointer", [1]],
        ["queue_images", [method.queueSize]],
      ]);
    case "memory-bank":
      return new Map([["memory_bank", ["any", encoder.dimension]]]);
    default:
      return new Map();
  }
}

/**
 * A method before its first step.
 *
 * @param random - the random numbers for one purpose
 * @throws InputError if a classifier's head does not fit the classes
 */
export function startMethod(recipe: Recipe, facts: TrainingSetFacts, random: (purpose: string) => Random): Method {
  const { method, encoder, bnGroups } = recipe;
  if (method.kind === "supervised" && encoder.dimension !== facts.classes) {
    throw new InputError(
      `Cannot train a classifier: encoder.dimension must be the number of classes ${facts.classes}, ` +
        `current value is ${encoder.dimension}`,
    );
  }
  if (method.kind === "moco") {
    const streams = { encoder: random("initialise"), queue: random("queue") };
    const { queryEncoder, keyEncoder, queue } = createMoco({ ...method, encoder, bnGroups }, streams);
    return assemble(recipe, { networks: { [queryName]: queryEncoder, [keyName]: keyEncoder }, queue });
  }
  if (method.kind === "end-to-end") {
    const { queryEncoder, keyEncoder } = createEndToEnd({ ...method, encoder, bnGroups }, random("initialise"));
    return assemble(recipe, { networks: { [queryName]: queryEncoder, [keyName]: keyEncoder } });
  }
  const networks = { [queryName]: createEncoder(encoder, random("initialise")) };
  if (method.kind !== "memory-bank") return assemble(recipe, { networks });
  return assemble(recipe, { networks, bank: MemoryBank.random(facts.images, encoder.dimension, random("bank")) });
}

/** A method as a checkpoint left it. */
export function restoreMethod(
  recipe: Recipe,
  networks: Readonly<Record<string, Encoder>>,
  memory: ReadonlyMap<string, HostTensor>,
): Method {
  const { kind } = recipe.method;
  return assemble(recipe, {
    networks,
    ...(kind === "moco" && { queue: queueFrom(memory) }),
    ...(kind === "memory-bank" && { bank: bankFrom(memory) }),
  });
}

function assemble(recipe: Recipe, { networks, queue, bank }: Parts): Method {
  const { method, encoder: config, bnGroups, batchSize } = recipe;
  const encoder = networks[queryName]!;
  const base = {
    encoder,
    networks,
    trained: trainedNetworks(method),
    views: 2 as 1 | 2,
    draw: (): Record<string, Int32Array> => ({}),
    memory: () => new Map<string, HostTensor>(),
    dispose: () => Object.values(networks).forEach(disposeEncoder),
  };
  switch (method.kind) {
    case "moco": {
      const moco = {
        config: { ...method, encoder: config, bnGroups },
        queryEncoder: encoder,
        keyEncoder: networks[keyName]!,
        queue: queue!,
      };
      const { shuffleBN, symmetric } = method;
      return {
        ...base,
        draw: (batch) => (shuffleBN ? drawPermutations(batch, symmetric ? 2 : 1) : {}),
        step: ({ views: [queryView, keyView], indices, drawn: { permutation, secondPermutation } }) => {
          const inputs = { queryView: queryView!, keyView: keyView!, images: indices };
          return symmetric
            ? symmetricMocoStep(moco, { ...inputs, permutations: [permutation, secondPermutation] })
            : mocoStep(moco, { ...inputs, permutation });
        },
        memory: () => queueState(moco.queue),
        dispose: () => {
          base.dispose();
          moco.queue.dispose();
        },
      };
    }
    case "end-to-end": {
      const endToEnd = {
        config: { ...method, encoder: config, bnGroups },
        queryEncoder: encoder,
        keyEncoder: networks[keyName]!,
      };
      const { chunkSize, shuffleBN } = method;
      const draw = (batch: Batch): Record<string, Int32Array> => (shuffleBN ? drawPermutations(batch, 1) : {});
      return {
        ...base,
        draw,
        step: ({ views: [queryView, keyView], drawn: { permutation } }) =>
          endToEndStep(endToEnd, queryView!, keyView!, permutation),
        stepInChunks:
          chunkSize === undefined
            ? undefined
            : (batch) => endToEndStepInChunks(endToEnd, batch.view, batchSize, chunkSize, draw(batch)["permutation"]),
      };
    }
    case "memory-bank": {
      const memoryBank = { config: { ...method, encoder: config, bnGroups }, encoder, bank: bank! };
      return {
        ...base,
        views: 1,
        draw: (batch) => ({ negatives: drawNegatives(batch, method, memoryBank.bank.entries.shape[0]) }),
        step: ({ views: [view], indices, drawn: { negatives } }) =>
          memoryBankStep(memoryBank, view!, indices, negatives!),
        memory: () => new Map([["memory_bank", hostTensor(memoryBank.bank.entries)]]),
        dispose: () => {
          base.dispose();
          memoryBank.bank.dispose();
        },
      };
    }
    case "simclr": {
      const simclr = { config: { ...method, encoder: config, bnGroups }, encoder };
      const { chunkSize } = method;
      return {
        ...base,
        step: ({ views: [first, second] }) => simclrStep(simclr, first!, second!),
        stepInChunks:
          chunkSize === undefined ? undefined : (batch) => simclrStepInChunks(simclr, batch.view, batchSize, chunkSize),
      };
    }
    case "supervised":
      return {
        ...base,
        views: 1,
        step: ({ views: [view], labels }) => supervisedStep(encoder, view!, labels, bnGroups),
      };
    case "random":
      return {
        ...base,
        views: 1,
        step: ({ views: [view] }) => {
          classLogits(encoder, view!, bnGroups).dispose();
          return { loss: tf.scalar(0), accuracy: tf.scalar(0), gradients: [] };
        },
      };
  }
}

/** Orders for shuffling BN: one for each time that keys are encoded. */
function drawPermutations(batch: Batch, count: 1 | 2): { permutation: Int32Array; secondPermutation?: Int32Array } {
  const random = batch.random("shuffle BN");
  const permutation = random.permutation(batch.size);
  return count === 1 ? { permutation } : { permutation, secondPermutation: random.permutation(batch.size) };
}

function drawNegatives(batch: Batch, { negatives }: MethodOf<"memory-bank">, images: number): Int32Array {
  const random = batch.random("negatives");
  return Int32Array.from({ length: negatives }, () => random.integer(images));
}

function queueState(queue: KeyQueue): Map<string, HostTensor> {
  return new Map([
    ["queue", hostTensor(queue.keys)],
    ["queue_pointer", { shape: [1], values: Float32Array.of(queue.pointer) }],
    // Exact in float32 up to 16.7 million images.
    ["queue_images", { shape: [queue.size], values: Float32Array.from(queue.images) }],
  ]);
}

function queueFrom(memory: ReadonlyMap<string, HostTensor>): KeyQueue {
  const keys = memory.get("queue")!;
  return new KeyQueue(
    tf.tensor2d(keys.values, keys.shape as [number, number]),
    memory.get("queue_pointer")!.values[0],
    memory.get("queue_images")!.values,
  );
}

function bankFrom(memory: ReadonlyMap<string, HostTensor>): MemoryBank {
  const { values, shape } = memory.get("memory_bank")!;
  return new MemoryBank(tf.tensor2d(values, shape as [number, number]));
}
