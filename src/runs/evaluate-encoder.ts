import type { ImageData, ImageSet } from "../data/image-set";
import { evaluateFeatures, type Evaluation, type EvaluationOptions } from "../evaluate/evaluate-features";
import { extractEmbeddings, extractFeatures, pixelFeatures } from "../evaluate/extract";
import type { Features } from "../evaluate/features";
import { knn } from "../evaluate/knn";
import { twinTask } from "../evaluate/retrieval";
import type { Encoder } from "../nn/encoder";
import { takeImages } from "../data/image-data";
import { cifar10DemoMonitor } from "../recipes/cifar10-demo";
import type { Preset } from "../recipes/presets";

/** Evaluates a frozen encoder by every metric, on test: read once a run, after the last epoch. */
export function evaluateEncoder(encoder: Encoder, data: ImageData, preset: Preset, seed: number): Evaluation {
  return evaluateBy((set) => extractFeatures(encoder, data, set), data, preset, seed);
}

/** Evaluates the pixels themselves, by the same metrics. */
export function evaluatePixels(data: ImageData, preset: Preset, seed: number): Evaluation {
  return evaluateBy(pixelFeatures, data, preset, seed);
}

/** kNN accuracy on the validation part: what is watched while training runs. */
export function monitorKnn(encoder: Encoder, data: ImageData, preset: Preset): number {
  const { train, validation } = data;
  const options = { ...preset.knn, classCount: train.classes.length };
  return knn(extractFeatures(encoder, data, train), extractFeatures(encoder, data, validation), options).accuracy;
}

/** The monitor of the official CIFAR-10 demo: on embeddings, with a part of the images, evenly spread over the sets. */
export function monitorDemoKnn(encoder: Encoder, data: ImageData): number {
  const { k, temperature, bank, images } = cifar10DemoMonitor;
  const spread = (set: ImageSet, count: number) => {
    const step = Math.max(1, Math.floor(set.labels.length / count));
    const indices = [...set.labels.keys()].filter((index) => index % step === 0).slice(0, count);
    return extractEmbeddings(encoder, data, takeImages(set, set.name, indices));
  };
  const options = { k, temperature, classCount: data.train.classes.length };
  return knn(spread(data.train, bank), spread(data.validation, images), options).accuracy;
}

function evaluateBy(
  featuresOf: (set: ImageSet) => Features,
  data: ImageData,
  preset: Preset,
  seed: number,
): Evaluation {
  const { train, validation, test } = data;
  const options: EvaluationOptions = {
    ...preset.knn,
    classCount: train.classes.length,
    seed,
    retrieval: test.twins && twinTask(test.ids, test.twins),
  };
  return evaluateFeatures(featuresOf(train), featuresOf(validation), featuresOf(test), options);
}
