import { describe, expect, it } from "vitest";
import { randomStream } from "../../src/engine/random";
import { tf } from "../../src/engine/tf";
import { backboneFeatures, createEncoder, disposeEncoder } from "../../src/nn/encoder";
import { ParameterVector } from "../../src/nn/parameters";
import { resNetFeatures, type NormalizationMode } from "../../src/nn/resnet";
import {
  featureCount,
  resNetParameters,
  resNetRunningAverages,
  type Architecture,
  type ResNetConfig,
} from "../../src/nn/resnet-layout";
import { fromStateDict } from "../../src/weights/state-dict";
import type { BatchStatistics } from "../../src/engine/batch-norm";
import { dot, relativeError } from "../engine/double-precision";
import resNeXt from "./fixtures/resnext.json";
import fixture from "./fixtures/torchvision.json";
import { hashed, hashedImages, hashedState } from "../weights/hashed";

const standard = (architecture: Architecture): ResNetConfig => ({ architecture, width: 64, stem: "imagenet" });

describe("a narrow ResNeXt with the weights of PyTorch's", () => {
  const { width, size, batch, shapes, float32Distance } = resNeXt;
  const config: ResNetConfig = { architecture: "resnext50-32x8d", width, stem: "imagenet" };
  const state = hashedState(shapes);
  const entries = resNetParameters(config);
  const images = () => hashedImages(7, batch, size);

  it("has PyTorch's features in training and in evaluation mode, within three times float32's rounding", () => {
    const parameters = fromStateDict(state, entries, "", "fixture");
    const running = fromStateDict(state, resNetRunningAverages(config), "", "fixture");
    const onStatistics = (_layer: string, { mean, variance }: BatchStatistics) => tf.dispose([mean, variance]);
    const featuresIn = (mode: NormalizationMode) =>
      tf.tidy(() => resNetFeatures(config, parameters, images(), mode)).dataSync();
    const training = featuresIn({ training: true, onStatistics });
    const evaluation = featuresIn({ training: false, running });
    expect(distance(training, resNeXt.features.training)).toBeLessThan(3 * float32Distance.features);
    expect(distance(evaluation, resNeXt.features.evaluation)).toBeLessThan(3 * float32Distance.features);
    parameters.dispose();
    running.dispose();
  });

  it("has PyTorch's gradients in evaluation mode, each time, within three times float32's rounding", () => {
    const parameters = fromStateDict(state, entries, "", "fixture");
    const running = fromStateDict(state, resNetRunningAverages(config), "", "fixture");
    const whole: Readonly<Record<string, readonly number[]>> = resNeXt.wholeGradients;
    const summaries: Readonly<Record<string, { norm: number; projection: number }>> = resNeXt.gradients;
    const limit = 3 * float32Distance.gradients;
    for (let repeat = 0; repeat < 3; repeat++) {
      tf.tidy(() => {
        const weights = tf.tensor2d(hashed(8, batch * featureCount(config), -1, 1), [batch, featureCount(config)]);
        const gradients = tf.grads(() => {
          const features = resNetFeatures(config, parameters, images(), { training: false, running });
          return tf.sum(tf.mul(features, weights));
        })([...parameters.tensors]);
        entries.forEach(({ name, shape }, index) => {
          const gradient = gradients[index]!;
          const ours = (shape.length === 4 ? tf.transpose(gradient, [3, 2, 0, 1]) : gradient).dataSync();
          const { norm, projection } = summaries[name]!;
          expect(Math.abs(Math.sqrt(dot(ours, ours)) - norm) / norm).toBeLessThan(limit);
          expect(Math.abs(dot(ours, hashed(9, ours.length, -1, 1)) - projection) / norm).toBeLessThan(limit);
          if (whole[name]) expect(distance(ours, whole[name])).toBeLessThan(limit);
        });
      });
    }
    parameters.dispose();
    running.dispose();
  });
});

describe("features", () => {
  it.each(["resnet18", "resnet50"] as const)("of %s are torchvision's, from the same weights", (architecture) => {
    const { shapes, features } = fixture[architecture];
    const config = standard(architecture);
    const state = hashedState(shapes);
    const parameters = fromStateDict(state, resNetParameters(config), "", "fixture");
    const running = fromStateDict(state, resNetRunningAverages(config), "", "fixture");
    const ours = tf.tidy(() =>
      resNetFeatures(config, parameters, hashedImages(7, 2, 64), { training: false, running }),
    );
    expect(ours.shape).toEqual([2, featureCount(config)]);
    expect(relativeError(ours.dataSync(), features)).toBeLessThan(1e-4);
    ours.dispose();
    parameters.dispose();
    running.dispose();
  });

  it("of the CIFAR stem keep the image's size up to the first stage", () => {
    // 8 px: 8, 4, 2, 1 through the stages; the ImageNet stem would start them at 2.
    const config = { architecture: "resnet18", width: 2, stem: "cifar" } as const;
    const entries = resNetParameters(config);
    expect(entries[0]).toEqual({ name: "conv1.weight", shape: [3, 3, 3, 2] });
    const random = randomStream(1, "test");
    const size = entries.reduce((sum, { shape }) => sum + tf.util.sizeFromShape([...shape]), 0);
    const parameters = new ParameterVector(
      entries,
      tf.tensor1d(Float32Array.from({ length: size }, () => random.normal())),
    );
    const counts: number[] = [];
    const features = tf.tidy(() =>
      resNetFeatures(config, parameters, hashedImages(1, 4, 8), {
        training: true,
        onStatistics: (_layer, { mean, variance }) => {
          counts.push(mean.size);
          tf.dispose([mean, variance]);
        },
      }),
    );
    expect(features.shape).toEqual([4, 16]);
    expect(counts).toHaveLength(20);
    features.dispose();
    parameters.dispose();
  });

  it.each(
    (["resnet18", "resnet50"] as const).flatMap((architecture) => [
      [architecture, "cifar"] as const,
      [architecture, "imagenet"] as const,
    ]),
  )("of %s with the %s stem are there for an image of one pixel: no map becomes empty", (architecture, stem) => {
    const encoder = createEncoder(
      { architecture, width: 8, stem, head: "linear", dimension: 4 },
      randomStream(1, "test"),
    );
    const features = backboneFeatures(encoder, hashedImages(1, 2, 1));
    expect(features.shape).toEqual([2, featureCount(encoder.config)]);
    expect(features.dataSync().every(Number.isFinite)).toBe(true);
    features.dispose();
    disposeEncoder(encoder);
  });
});

/** ||actual - expected|| / ||expected||. */
function distance(actual: ArrayLike<number>, expected: readonly number[]): number {
  const difference = expected.map((value, index) => actual[index]! - value);
  return Math.sqrt(dot(difference, difference) / dot(expected, expected));
}
