import { loadData, parseDataName, type LoadDataOptions } from "../data/load";
import type { ImageData } from "../data/image-set";
import { InputError } from "../errors";
import { disposeEncoder, type Encoder } from "../nn/encoder";
import { loadCheckpoint } from "../train/checkpoint";
import { checkpointIn } from "../train/pretrain";
import { recipeHash } from "../train/recipe-hash";
import { disposeTraining } from "../train/state";
import { holdsTraining, partsOf } from "../weights/checkpoint-names";
import { assertFinite, describeEncoder, encoderOf } from "../weights/encoder-weights";
import { readWeights } from "../weights/weights-file";
import type { EvaluateFlags } from "./evaluate";

/** An encoder to evaluate. The caller disposes it. */
export interface OpenedEncoder {
  readonly encoder: Encoder;
  /** What it was trained on; unknown of weights without a recipe. */
  readonly dataset?: string;
  readonly imageSize?: number;
  /** Seed of the training, or 0. */
  readonly seed: number;
  /** Which encoder it is, in words. */
  readonly title: string;
  readonly facts: Readonly<Record<string, string | number>>;
  readonly dispose: () => void;
}

/**
 * The encoder of our own checkpoint, or of a file with weights only, of this or another project.
 *
 * @param given - the file, or the folder of a run
 * @throws InputError if it cannot be read
 */
export function openEncoder(given: string): OpenedEncoder {
  const checkpoint = checkpointIn(given);
  const weights = readWeights(checkpoint);
  if (!holdsTraining(weights.metadata)) {
    const parts = partsOf(weights, checkpoint);
    const encoder = encoderOf(parts, checkpoint);
    const leftOut = parts.leftOut.length > 0 ? ` (left out: ${parts.leftOut.join(", ")})` : "";
    return {
      encoder,
      seed: 0,
      title: describeEncoder(encoder.config) + leftOut,
      facts: { checkpoint, ...encoder.config },
      dispose: () => disposeEncoder(encoder),
    };
  }
  const { recipe, state } = loadCheckpoint(checkpoint);
  const { seed, step } = state;
  assertFinite(state.method.encoder, checkpoint);
  return {
    encoder: state.method.encoder,
    dataset: recipe.dataset,
    imageSize: recipe.imageSize,
    seed,
    title: `${recipe.name}, seed ${seed}, step ${step}`,
    facts: { checkpoint, recipe: recipe.name, recipeHash: recipeHash(recipe), seed, step },
    dispose: () => disposeTraining(state),
  };
}

/**
 * The data set that an encoder is evaluated on: the flags', else the recipe's.
 *
 * @param given - what the encoder was opened by, for messages
 * @throws InputError if neither names one, or it cannot be loaded
 */
export async function evaluationData(
  { dataset, imageSize, encoder }: OpenedEncoder,
  {
    data: name = dataset,
    size = imageSize,
    dataRoot,
    holdOut,
  }: Pick<EvaluateFlags, "data" | "size" | "dataRoot"> & Pick<LoadDataOptions, "holdOut">,
  given: string,
): Promise<{ readonly dataset: string; readonly data: ImageData }> {
  if (name === undefined) {
    throw new InputError(
      `Cannot evaluate ${given}: it has weights, but no recipe that names a data set. Give one, for example --data cifar10`,
    );
  }
  // Photographs have the size that networks with this stem are made for; the kit's own sets have 32 pixels.
  const usual = encoder.config.stem === "imagenet" && name.startsWith("folder:") ? 224 : 32;
  const data = await loadData(parseDataName(name), { root: dataRoot, size: size ?? usual, holdOut });
  return { dataset: name, data };
}
