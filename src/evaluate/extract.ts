import { imageTensor, openImages } from "../data/batches";
import type { ImageData, ImageSet } from "../data/image-set";
import { normalize } from "../data/normalize";
import { createProgram } from "../engine/program";
import type { NamedTensors } from "../engine/tensor-function";
import { randomStream } from "../engine/random";
import { InputError } from "../errors";
import { tf } from "../engine/tf";
import {
  backboneFeatures,
  createEncoder,
  embeddings,
  estimateRunningAverages,
  featuresAt,
  type Depth,
  type Encoder,
  type EncoderConfig,
} from "../nn/encoder";
import type { Features } from "./features";

const batchSize = 256;

/** 4 GB: more would not fit beside the rest. */
const maximumPixelFeatures = 10 ** 9;

/** Batches from which on recording one takes less time than it saves: a recording takes as long as eight batches of the quick preset. */
const recordedFrom = 16;

/** Pooled backbone features of every image of a part, in evaluation mode, without augmentation. */
export function extractFeatures(encoder: Encoder, data: ImageData, set: ImageSet): Features {
  return extract(set, data, (images) => backboneFeatures(encoder, images));
}

/** As {@link extractFeatures}, pooled after the stem or an earlier stage. */
export function extractFeaturesAt(depth: Depth, encoder: Encoder, data: ImageData, set: ImageSet): Features {
  return extract(set, data, (images) => featuresAt(encoder, images, depth));
}

/** Unit embeddings of every image of a part, head included, in evaluation mode, without augmentation. */
export function extractEmbeddings(encoder: Encoder, data: ImageData, set: ImageSet): Features {
  return extract(set, data, (images) => embeddings(encoder, images));
}

/**
 * Features of every image of a part, without augmentation.
 *
 * Recorded once for a batch where there are many. The last batch is filled up with its first image: in evaluation mode an
 * image knows nothing of the others.
 *
 * @param featuresOfBatch - makes [N, dimension] of normalized images, [N, H, W, 3]
 */
function extract(set: ImageSet, data: ImageData, featuresOfBatch: (images: tf.Tensor4D) => tf.Tensor2D): Features {
  const count = set.labels.length;
  const size = Math.min(batchSize, count);
  const compute = ({ images }: NamedTensors) => ({
    features: featuresOfBatch(normalize(images as tf.Tensor4D, data.mean, data.std)),
  });
  const inputs = { images: { shape: [size, set.size, set.size, 3] } };
  const program = count >= recordedFrom * size ? createProgram({ features: { inputs, compute } }) : undefined;
  let values = new Float32Array();
  const open = (first: number) =>
    openImages(
      set,
      Int32Array.from({ length: size }, (_, offset) => (first + offset < count ? first + offset : first)),
    );
  // Files are decoded while the batch before them is encoded.
  let next = open(0);
  for (let first = 0; first < count; first += size) {
    const images = next();
    if (first + size < count) next = open(first + size);
    const { features } = program?.run("features", { images }) ?? tf.tidy(() => compute({ images }));
    const dimension = features.shape[1];
    if (first === 0) values = new Float32Array(count * dimension);
    values.set(
      features.dataSync<"float32">().subarray(0, Math.min(size, count - first) * dimension),
      first * dimension,
    );
    tf.dispose([images, features]);
  }
  program?.dispose();
  return featuresOf(set, values, values.length / count);
}

/** The pixels themselves as features, 0 to 1: what an encoder must beat to be worth anything. */
export function pixelFeatures(set: ImageSet): Features {
  const dimension = 3 * set.size ** 2;
  const count = set.labels.length;
  if (count * dimension > maximumPixelFeatures) {
    throw new InputError(
      `Cannot take the pixels of ${set.name} as features: ${count} images of ${set.size} px must be ` +
        `${maximumPixelFeatures} numbers or fewer, current count is ${count * dimension}; choose a smaller size`,
    );
  }
  const values = new Float32Array(count * dimension);
  for (let first = 0; first < count; first += batchSize) {
    const indices = Int32Array.from({ length: Math.min(batchSize, count - first) }, (_, offset) => first + offset);
    const images = imageTensor(set, indices);
    values.set(images.dataSync<"float32">(), first * dimension);
    images.dispose();
  }
  return featuresOf(set, values, dimension);
}

/**
 * A randomly initialized encoder, its batch normalization's averages estimated on the training part: without that,
 * evaluation mode would use the averages of no data, and the baseline would be weaker than it is.
 */
export function randomNetwork(config: EncoderConfig, data: ImageData, seed: number): Encoder {
  const encoder = createEncoder(config, randomStream(seed, "initialization"));
  estimateRunningAverages(encoder, normalizedBatches(data, data.train));
  return encoder;
}

function featuresOf({ labels, groups, twins }: ImageSet, values: Float32Array, dimension: number): Features {
  return { values, dimension, labels, groups, twins };
}

function* normalizedBatches({ mean, std }: ImageData, set: ImageSet): Generator<tf.Tensor4D> {
  const count = set.labels.length;
  for (let first = 0; first < count; first += batchSize) {
    const indices = Int32Array.from({ length: Math.min(batchSize, count - first) }, (_, offset) => first + offset);
    yield tf.tidy(() => normalize(imageTensor(set, indices), mean, std));
  }
}
