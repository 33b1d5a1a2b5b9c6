import { InputError } from "../engine/errors";
import { partsOf, type CheckpointParts } from "./checkpoint-names";
import { encoderParameters, type Encoder, type EncoderConfig } from "./encoder";
import type { TensorEntry } from "./parameters";
import { architectures, resNetRunningAverages } from "./resnet-layout";
import { isFloat, type HostTensor, type StoredTensor } from "./safetensors";
import { fromStateDict, stateProblems } from "./state-dict";
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
  const { query } = partsOf(readWeights(path), path);
  const config = encoderConfigOf(query, path);
  const state = new Map([...query].filter((entry): entry is [string, HostTensor] => isFloat(entry[1])));
  const parameters = fromStateDict(state, encoderParameters(config), "", path);
  return { config, parameters, running: fromStateDict(state, resNetRunningAverages(config), "", path) };
}

/**
 * Checks that the networks of a checkpoint are whole, both of the same kind, and that the queue has keys of theirs.
 *
 * @param source - the file's name, for messages
 * @returns what kind of network it is
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
 * Tells a network by its tensors' names and shapes.
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
  const [dimension] = state.get(head === "mlp" ? "fc.2.weight" : "fc.weight")?.shape ?? [];
  const candidates = architectures
    // A ResNeXt has groups of channels, which not every width gives.
    .filter((architecture) => !architecture.startsWith("resnext") || width % 8 === 0)
    .map((architecture) => {
      const stem = kernel === 3 ? "cifar" : "imagenet";
      const config: EncoderConfig = { architecture, width, stem, head, dimension: dimension ?? 128 };
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
  return `${architecture} of width ${width} with ${stem} stem and ${head} head of ${dimension}`;
}

function networkProblems(state: ReadonlyMap<string, StoredTensor>, config: EncoderConfig): string[] {
  const entries: readonly TensorEntry[] = [...encoderParameters(config), ...resNetRunningAverages(config)];
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
