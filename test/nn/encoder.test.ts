import { describe, expect, it } from "vitest";
import { randomStream } from "../../src/engine/random";
import { tf } from "../../src/engine/tf";
import { InputError } from "../../src/errors";
import {
  backboneFeatures,
  copyEncoder,
  createEncoder,
  disposeEncoder,
  encode,
  encoderParameters,
  estimateRunningAverages,
  featuresAt,
  type Encoder,
  type EncoderConfig,
} from "../../src/nn/encoder";
import { resNetFeatures, type NormalizationMode } from "../../src/nn/resnet";
import { relativeError } from "../engine/double-precision";
import { hashedImages } from "../weights/hashed";

const config: EncoderConfig = { architecture: "resnet18", width: 4, stem: "cifar", head: "mlp", dimension: 8 };
const create = (changes: Partial<EncoderConfig> = {}, seed = 1) =>
  createEncoder({ ...config, ...changes }, randomStream(seed, "test"));

/** Mean and unbiased variance that each batch normalization sees, in the order of the running averages. */
function batchStatistics({ config, parameters, running }: Encoder, images: tf.Tensor4D): number[] {
  const values = new Map<string, Float32Array>();
  const mode: NormalizationMode = {
    training: true,
    onStatistics: (layer, { mean, variance }) => {
      values
        .set(`${layer}.running_mean`, mean.dataSync<"float32">())
        .set(`${layer}.running_var`, variance.dataSync<"float32">());
      tf.dispose([mean, variance]);
    },
  };
  tf.tidy(() => void resNetFeatures(config, parameters, images, mode));
  return running.entries.flatMap(({ name }) => [...values.get(name)!]);
}

const mix = (old: ArrayLike<number>, batch: readonly number[]) =>
  batch.map((value, index) => 0.9 * old[index]! + 0.1 * value);

describe("createEncoder", () => {
  it("starts by torchvision's rules", () => {
    const encoder = create({ width: 16 });
    const values = (name: string) => encoder.parameters.tensor(name).dataSync<"float32">();
    const filter = values("layer4.0.conv1.weight"); // 3 x 3, 64 to 128 channels: fan-out 9 * 128
    const deviation = Math.sqrt(filter.reduce((sum, value) => sum + value ** 2, 0) / filter.length);
    expect(deviation / Math.sqrt(2 / (9 * 128))).toBeCloseTo(1, 1);
    expect(new Set(values("layer1.0.bn1.weight"))).toEqual(new Set([1]));
    expect(new Set(values("layer1.0.bn1.bias"))).toEqual(new Set([0]));
    const head = values("fc.0.weight"); // fan-in 128
    const largest = head.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    expect(largest).toBeLessThanOrEqual(1 / Math.sqrt(128));
    expect(largest).toBeGreaterThan(0.99 / Math.sqrt(128));
    expect(new Set(encoder.running.tensor("bn1.running_mean").dataSync())).toEqual(new Set([0]));
    expect(new Set(encoder.running.tensor("bn1.running_var").dataSync())).toEqual(new Set([1]));
    disposeEncoder(encoder);
  });

  it.each([{ width: -1 }, { width: 0.5 }, { dimension: -8 }, { dimension: NaN }])("refuses %o", (changes) => {
    expect(() => create(changes)).toThrow(InputError);
    expect(() => create(changes)).toThrow(/must be a whole number.* current value is/);
  });

  it("counts all outputs of a grouped convolution in its fan-out, as torchvision", () => {
    const encoder = create({ architecture: "resnext50-32x8d", width: 8 });
    const filter = encoder.parameters.tensor<tf.Tensor4D>("layer4.0.conv2.weight"); // 3 x 3, 32 groups of 8, 256 outputs
    expect(filter.shape).toEqual([3, 3, 8, 256]);
    const deviation = Math.sqrt(tf.tidy(() => tf.mean(tf.square(filter)).arraySync() as number));
    expect(deviation / Math.sqrt(2 / (9 * 256))).toBeCloseTo(1, 1);
    disposeEncoder(encoder);
  });

  it("is a function of its stream", () => {
    const encoders = [create(), create(), create({}, 2)];
    const [first, same, other] = encoders.map(({ parameters }) => parameters.values.dataSync());
    expect(same).toEqual(first);
    expect(other).not.toEqual(first);
    encoders.forEach(disposeEncoder);
  });

  it("leaves no tensor behind when it is disposed", () => {
    const before = tf.memory().numTensors;
    const encoder = create();
    const copy = copyEncoder(encoder);
    disposeEncoder(encoder);
    tf.tidy(() => void encode(copy, hashedImages(1, 4, 8), { bnGroups: 1 })); // the copy lives on its own
    disposeEncoder(copy);
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe("encoderParameters", () => {
  it("has one fully connected layer for MoCo v1 and a hidden one before it for MoCo v2", () => {
    const head = (kind: EncoderConfig["head"]) =>
      encoderParameters({ ...config, head: kind })
        .filter(({ name }) => name.startsWith("fc"))
        .map(({ name, shape }) => [name, shape]);
    expect(head("linear")).toEqual([
      ["fc.weight", [32, 8]],
      ["fc.bias", [8]],
    ]);
    expect(head("mlp")).toEqual([
      ["fc.0.weight", [32, 32]],
      ["fc.0.bias", [32]],
      ["fc.2.weight", [32, 8]],
      ["fc.2.bias", [8]],
    ]);
  });
});

describe("encode", () => {
  it.each(["linear", "mlp"] as const)("gives unit vectors, one an image, with the %s head", (head) => {
    const encoder = create({ head });
    const vectors = tf.tidy(() => encode(encoder, hashedImages(1, 6, 8), { bnGroups: 1 }).arraySync());
    expect(vectors).toHaveLength(6);
    vectors.forEach((vector) => expect(Math.hypot(...vector)).toBeCloseTo(1, 5));
    disposeEncoder(encoder);
  });

  it("moves the running averages by a tenth to mean and unbiased variance of the batch", () => {
    const encoder = create();
    const images = hashedImages(1, 6, 8);
    for (let step = 0; step < 2; step++) {
      const before = encoder.running.values.dataSync();
      tf.tidy(() => void encode(encoder, images, { bnGroups: 1 }));
      const expected = mix(before, batchStatistics(encoder, images));
      expect(relativeError(encoder.running.values.dataSync(), expected)).toBeLessThan(1e-6);
    }
    images.dispose();
    disposeEncoder(encoder);
  });

  it("normalizes each group by itself and moves the running averages once, by the mean over the groups", () => {
    const encoder = create();
    const whole = hashedImages(1, 6, 8);
    const parts = tf.split<tf.Tensor4D>(whole, 3);
    const before = encoder.running.values.dataSync();
    const statistics = parts.map((part) => batchStatistics(encoder, part));
    const mean = statistics[0]!.map((_, index) => statistics.reduce((sum, group) => sum + group[index]! / 3, 0));

    const grouped = tf.tidy(() => encode(encoder, whole, { bnGroups: 3 }).dataSync());
    expect(relativeError(encoder.running.values.dataSync(), mix(before, mean))).toBeLessThan(1e-6);
    const alone = parts.flatMap((part) => [...tf.tidy(() => encode(encoder, part, { bnGroups: 1 }).dataSync())]);
    expect(relativeError(grouped, alone)).toBeLessThan(1e-5);
    const together = tf.tidy(() => encode(encoder, whole, { bnGroups: 1 }).dataSync());
    expect(relativeError(grouped, together)).toBeGreaterThan(0.01);
    tf.dispose([whole, ...parts]);
    disposeEncoder(encoder);
  });

  it("leaves no tensor but its result", () => {
    const encoder = create();
    const images = hashedImages(1, 6, 8);
    const before = tf.memory().numTensors;
    encode(encoder, images, { bnGroups: 2 }).dispose();
    backboneFeatures(encoder, images).dispose();
    expect(tf.memory().numTensors).toBe(before);
    images.dispose();
    disposeEncoder(encoder);
  });
});

describe("featuresAt", () => {
  it("gives the backbone's features after the last stage, and fewer channels before", () => {
    const encoder = create({ width: 4 });
    const images = hashedImages(1, 3, 8);
    const before = tf.memory().numTensors;
    const features = (["stem", 1, 2, 3, 4] as const).map((depth) => featuresAt(encoder, images, depth));
    expect(tf.memory().numTensors).toBe(before + 5);
    expect(features.map(({ shape }) => shape)).toEqual([4, 4, 8, 16, 32].map((channels) => [3, channels]));
    const backbone = backboneFeatures(encoder, images);
    expect(features[4]!.dataSync()).toEqual(backbone.dataSync());
    tf.dispose([...features, backbone, images]);
    disposeEncoder(encoder);
  });

  it("pools after the first convolution, its normalization and ReLU for the stem", () => {
    const encoder = create();
    encoder.running.replace(tf.tidy(() => tf.add<tf.Tensor1D>(encoder.running.values, 0.25)));
    const images = hashedImages(1, 2, 6);
    const [ours, stock] = tf.tidy(() => {
      const x = tf.conv2d(images, encoder.parameters.tensor<tf.Tensor4D>("conv1.weight"), 1, "same");
      const mean = encoder.running.tensor("bn1.running_mean");
      const variance = encoder.running.tensor("bn1.running_var");
      const normalized = tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 1e-5)));
      const pooled = tf.mean(tf.relu(normalized), [1, 2]);
      return [featuresAt(encoder, images, "stem").dataSync(), pooled.dataSync()] as const;
    });
    expect(relativeError(ours, stock)).toBeLessThan(1e-6);
    images.dispose();
    disposeEncoder(encoder);
  });
});

describe("backboneFeatures", () => {
  // The running averages of one batch, without the mean over steps, must normalize that batch as training does.
  it.each(["resnet18", "resnet50"] as const)(
    "of %s with a batch's own averages are those of training",
    (architecture) => {
      const encoder = create({ architecture });
      const images = hashedImages(1, 64, 32);
      estimateRunningAverages(encoder, [tf.clone(images)]);
      const evaluated = tf.tidy(() => backboneFeatures(encoder, images).dataSync());
      const mode: NormalizationMode = {
        training: true,
        onStatistics: (_layer, { mean, variance }) => tf.dispose([mean, variance]),
      };
      const trained = tf.tidy(() => resNetFeatures(encoder.config, encoder.parameters, images, mode).dataSync());
      // They differ by the unbiased variance: in the last stage, 64 images of 4 x 4 pixels, by 1 / 1024 a layer.
      expect(relativeError(evaluated, trained)).toBeLessThan(0.01);
      images.dispose();
      disposeEncoder(encoder);
    },
  );

  it("of an image do not depend on the images beside it", () => {
    const encoder = create();
    const images = hashedImages(1, 4, 8);
    const together = tf.tidy(() => backboneFeatures(encoder, images).arraySync()[0]!);
    const alone = tf.tidy(() =>
      backboneFeatures(encoder, tf.slice4d(images, [0, 0, 0, 0], [1, -1, -1, -1])).dataSync(),
    );
    expect(alone).toHaveLength(32);
    expect(relativeError(alone, together)).toBeLessThan(1e-5);
    images.dispose();
    disposeEncoder(encoder);
  });
});

describe("estimateRunningAverages", () => {
  it("sets the running averages to the mean of the batches' statistics and disposes the batches", () => {
    const encoder = create();
    const statistics = [1, 2].map((seed) => {
      const images = hashedImages(seed, 6, 8);
      const values = batchStatistics(encoder, images);
      images.dispose();
      return values;
    });
    const before = tf.memory().numTensors;
    estimateRunningAverages(encoder, [hashedImages(1, 6, 8), hashedImages(2, 6, 8)]);
    const mean = statistics[0]!.map((value, index) => (value + statistics[1]![index]!) / 2);
    expect(relativeError(encoder.running.values.dataSync(), mean)).toBeLessThan(1e-6);
    expect(tf.memory().numTensors).toBe(before);
    disposeEncoder(encoder);
  });
});
