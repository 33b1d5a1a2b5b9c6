import { InputError } from "../errors";
import { partsOf, type CheckpointParts } from "./checkpoint-names";
import { encoderParameters, type Encoder, type EncoderConfig } from "../nn/encoder";
import type { TensorEntry } from "../nn/parameters";
import { architectures, featureCount, resNetRunningAverages } from "../nn/resnet-layout";
import { isFloat, type HostTensor, type StoredTensor } from "./safetensors";
import { fromStateDict, stateProblems, toStateDict } from "./state-dict";
import { readWeights } from "./weights-file";

/** Batch normalization's counter of batches: PyTorch keeps it, and no result depends on it. */
const counter = /\.num_batches_tracked$/;

/**
 * Loads the query encoder of a checkpoint of another project, or of ours.
 *
 * @param path - a file that {@link readWeights} reads, with names that {@link partsOf} knows
 * @throws InputError if it cannot be read, or listing every missing, unexpected and wrong-shaped tensor
 */
export function loadEncoder(path: string): Encoder {
  return encoderOf(partsOf(readWeights(path), path), path);
}

/** As {@link loadEncoder}, of parts that were read. */
export function encoderOf({ query }: CheckpointParts, path: string): Encoder {
  const config = encoderConfigOf(query, path);
  const state = new Map([...query].filter((entry): entry is [string, HostTensor] => isFloat(entry[1])));
  if (config.dimension === 0) {
    state.set("fc.weight", { shape: [0, featureCount(config)], values: new Float32Array() });
    state.set("fc.bias", { shape: [0], values: new Float32Array() });
  }
  const parameters = fromStateDict(state, encoderParameters(config), "", path);
  const encoder = { config, parameters, running: fromStateDict(state, resNetRunningAverages(config), "", path) };
  assertFinite(encoder, path);
  return encoder;
}

/**
 * Checks that a network computes with numbers.
 *
 * @param source - the file's name, for messages
 * @throws InputError naming the first tensor with a value that is infinite or not a number
 */
export function assertFinite({ parameters, running }: Encoder, source: string): void {
  for (const vector of [parameters, running]) {
    for (const [name, { values }] of toStateDict(vector, "")) {
      const found = values.find((value) => !Number.isFinite(value));
      if (found === undefined) continue;
      throw new InputError(
        `Cannot use the network of ${source}: every weight must be a finite number, one of ${name} is ${found}; take another copy, ` +
          "or a checkpoint from before its training diverged",
      );
    }
  }
}

/**
 * Checks that the networks of a checkpoint are whole, both of the same kind, and that the queue has keys of theirs.
 *
 * @param source - the file's name, for messages
 * @returns what kind of network it is; without a head, its dimension is 0
 * @throws InputError listing every missing, unexpected and wrong-shaped tensor
 */
export function assertWhole({ query, key, queue }: CheckpointParts, source: string): EncoderConfig {
  const config = encoderConfigOf(query, source);
  const problems = key === undefined ? [] : networkProblems(key, config);
  if (problems.length > 0) throw misfit("key", config, source, problems);
  const length = queue?.keys.shape[1] ?? config.dimension;
  if (length !== config.dimension) {
    throw new InputError(
      `Cannot use the queue of ${source}: its keys must have length ${config.dimension}, as the encoders give, ` +
        `current length is ${length}`,
    );
  }
  return config;
}

/**
 * Tells a network by its tensors' names and shapes. A network without a head has dimension 0: features are read from it, no
 * embeddings.
 *
 * @param state - torchvision's names
 * @param source - the file's name, for messages
 * @throws InputError if it is none of the kit's: lists what is missing, unexpected or of another shape than in the most
 * similar one
 */
export function encoderConfigOf(state: ReadonlyMap<string, StoredTensor>, source: string): EncoderConfig {
  const [width, , kernel] = state.get("conv1.weight")?.shape ?? [];
  if (!width || !kernel) {
    throw new InputError(`Cannot use the network of ${source}: it has no first convolution, conv1.weight`);
  }
  const head = state.has("fc.2.weight") ? "mlp" : "linear";
  // A backbone alone has the head that makes nothing of its features.
  const alone = ![...state.keys()].some((name) => name.startsWith("fc."));
  const [dimension = alone ? 0 : 128] = state.get(head === "mlp" ? "fc.2.weight" : "fc.weight")?.shape ?? [];
  const candidates = architectures
    // A ResNeXt has groups of channels, which not every width gives.
    .filter((architecture) => !architecture.startsWith("resnext") || width % 8 === 0)
    .map((architecture) => {
      const stem = kernel === 3 ? "cifar" : "imagenet";
      const config: EncoderConfig = { architecture, width, stem, head, dimension };
      return { config, problems: networkProblems(state, config) };
    });
  const { config, problems } = candidates.reduce((best, next) =>
    next.problems.length < best.problems.length ? next : best,
  );
  if (problems.length > 0) throw misfit("query", config, source, problems);
  return config;
}

function misfit(which: string, config: EncoderConfig, source: string, problems: readonly string[]): InputError {
  return new InputError(
    `Cannot use the ${which} encoder of ${source}: it does not fit ${describeEncoder(config)}, the most similar.\n  ` +
      problems.join("\n  "),
  );
}

/** A network in words. */
export function describeEncoder({ architecture, width, stem, head, dimension }: EncoderConfig): string {
  const ending = dimension === 0 ? "no head" : `${head} head of ${dimension}`;
  return `${architecture} of width ${width} with ${stem} stem and ${ending}`;
}

function networkProblems(state: ReadonlyMap<string, StoredTensor>, config: EncoderConfig): string[] {
  const all: readonly TensorEntry[] = [...encoderParameters(config), ...resNetRunningAverages(config)];
  const entries = all.filter(({ shape }) => !shape.includes(0));
  const known = new Set(entries.map(({ name }) => name));
  const unexpected = [...state.keys()].filter(
    (name) => !known.has(name) && !(counter.test(name) && known.has(name.replace(counter, ".running_mean"))),
  );
  const integers = [...state].flatMap(([name, tensor]) => (known.has(name) && !isFloat(tensor) ? [name] : []));
  return [
    ...stateProblems(state, entries),
    ...unexpected.map((name) => `unexpected: ${name}`),
    ...integers.map((name) => `integers: ${name}`),
  ];
}
