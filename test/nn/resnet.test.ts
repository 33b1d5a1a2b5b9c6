import { describe, expect, it } from "vitest";
import { randomStream } from "../../src/engine/random";
import { tf } from "../../src/engine/tf";
import { ParameterVector, type TensorEntry } from "../../src/nn/parameters";
import {
  featureCount,
  resNetFeatures,
  resNetParameters,
  resNetRunningAverages,
  type Architecture,
  type ResNetConfig,
} from "../../src/nn/resnet";
import { fromStateDict } from "../../src/nn/state-dict";
import { relativeError } from "../engine/double-precision";
import fixture from "./fixtures/torchvision.json";
import { hashedImages, hashedState } from "./hashed";

const architectures = ["resnet18", "resnet34", "resnet50"] as const;
const standard = (architecture: Architecture): ResNetConfig => ({ architecture, width: 64, stem: "imagenet" });
const parameterCount = (config: ResNetConfig) =>
  resNetParameters(config).reduce((sum, { shape }) => sum + tf.util.sizeFromShape([...shape]), 0);

describe.each(architectures)("%s", (architecture) => {
  const shapes: Readonly<Record<string, number[]>> = fixture[architecture].shapes;

  it("has torchvision's names and shapes, in torchvision's order", () => {
    const config = standard(architecture);
    const ours = (entries: readonly TensorEntry[]) => entries.map(({ name, shape }) => [name, torchShape(shape)]);
    const theirs = Object.entries(shapes).filter(([name]) => !name.startsWith("fc."));
    const running = ([name]: [string, number[]]) => name.includes(".running_");
    expect(ours(resNetParameters(config))).toEqual(theirs.filter((entry) => !running(entry)));
    expect(ours(resNetRunningAverages(config))).toEqual(theirs.filter(running));
    expect(featureCount(config)).toBe(shapes["fc.weight"]![1]);
  });
});

describe("parameter counts", () => {
  it("are those of the paper's Table 1: ResNet-50 24 M, twice as wide 94 M, four times 375 M", () => {
    expect(parameterCount(standard("resnet50"))).toBe(23_508_032);
    expect(parameterCount({ ...standard("resnet50"), width: 128 }) / 1e6).toBeCloseTo(93.9, 1);
    expect(parameterCount({ ...standard("resnet50"), width: 256 }) / 1e6).toBeCloseTo(375.4, 1);
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

  it("of the CIFAR stem keep the picture's size up to the first stage", () => {
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
});

function torchShape(shape: readonly number[]): number[] {
  return shape.length === 4 ? [shape[3]!, shape[2]!, shape[0]!, shape[1]!] : [...shape];
}
