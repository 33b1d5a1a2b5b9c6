import { describe, expect, it } from "vitest";
import { augment, normalize } from "../../src/data/augment";
import { type AugmentationParameters, drawAugmentation } from "../../src/data/augmentation-parameters";
import { mocoV1, mocoV2 } from "../../src/data/augmentation-policy";
import { randomStream } from "../../src/engine/random";
import { tf } from "../../src/engine/tf";
import { imagesOf, numbersOf, parametersOf, readFixture } from "./augment-fixture";

/** Parameters that leave images of `size` as they are. */
function unchanged(count: number, size: number): AugmentationParameters {
  const everyImage = new Int32Array(count).fill(size);
  return {
    size,
    tops: new Int32Array(count),
    lefts: new Int32Array(count),
    heights: everyImage,
    widths: everyImage,
    flips: new Uint8Array(count),
    jitter: {
      order: Uint8Array.from({ length: 4 * count }, (_, place) => place % 4),
      amounts: Float32Array.from({ length: 4 * count }, (_, place) => (place % 4 === 3 ? 0 : 1)),
    },
    gray: new Uint8Array(count),
    grayscaleAt: "after jitter",
    blurSigmas: undefined,
  };
}

const randomImages = (count: number, size: number) =>
  tf.tensor4d(
    Float32Array.from({ length: count * size * size * 3 }, () => colors.uniform()),
    [count, size, size, 3],
  );
const colors = randomStream(0, "test", "colors");

function largestDifference(a: tf.Tensor, b: tf.Tensor): number {
  return tf.tidy(() => a.sub(b).abs().max().dataSync()[0]!);
}

describe("augment", () => {
  it.each([
    ["v1", "MoCo v1's steps"],
    ["v2", "MoCo v2's steps"],
    ["smaller", "MoCo v2's steps from 48 to 32 px"],
  ])("agrees with torchvision on fixture %s: %s", (name) => {
    const fixture = readFixture(name);
    const images = imagesOf(fixture);
    const view = augment(images, parametersOf(fixture), fixture.outputSize);
    expect(largestDifference(view, tf.tensor4d(numbersOf(fixture.expected), view.shape))).toBeLessThan(1e-5);
  });

  it.each(["v1", "v2"])("disagrees with torchvision on fixture %s when gray and jitter change places", (name) => {
    const fixture = readFixture(name);
    const swapped = fixture.grayscaleAt === "before jitter" ? "after jitter" : "before jitter";
    const view = augment(imagesOf(fixture), parametersOf({ ...fixture, grayscaleAt: swapped }), fixture.outputSize);
    expect(largestDifference(view, tf.tensor4d(numbersOf(fixture.expected), view.shape))).toBeGreaterThan(0.01);
  });

  it("gives images back bit for bit when there is nothing to do", () => {
    const images = randomImages(3, 16);
    expect(largestDifference(augment(images, unchanged(3, 16), 16), images)).toBe(0);
  });

  it("mirrors left to right where asked to", () => {
    const images = randomImages(2, 8);
    const view = augment(images, { ...unchanged(2, 8), flips: Uint8Array.of(0, 1) }, 8);
    const [kept, mirrored] = tf.split(images, 2);
    expect(largestDifference(view, tf.concat([kept!, mirrored!.reverse(2)]))).toBe(0);
  });

  it("turns images gray before the jitter in v1, and after it in v2", () => {
    const images = randomImages(1, 8);
    const gray = Uint8Array.of(1);
    // Gray has no hue to turn: before the jitter this leaves the plain gray image, after it the gray of other colors.
    const jitter = { order: Uint8Array.of(3, 0, 1, 2), amounts: Float32Array.of(1, 1, 1, 0.4) };
    const plain = augment(images, { ...unchanged(1, 8), gray }, 8);
    const v1 = augment(images, { ...unchanged(1, 8), gray, jitter, grayscaleAt: mocoV1.grayscale.at }, 8);
    const v2 = augment(images, { ...unchanged(1, 8), gray, jitter, grayscaleAt: mocoV2.grayscale.at }, 8);
    expect(largestDifference(v1, plain)).toBeLessThan(1e-6);
    expect(largestDifference(v2, plain)).toBeGreaterThan(0.05);
  });

  it("treats each image alone, whatever else is in the batch", () => {
    const fixture = readFixture("v2");
    const images = imagesOf(fixture);
    const together = augment(images, parametersOf(fixture), 32);
    const last = { ...fixture, parameters: fixture.parameters.slice(-1) };
    const alone = augment(images.slice([7], [1]), parametersOf(last), 32);
    expect(largestDifference(alone, together.slice([7], [1]))).toBeLessThan(1e-6);
  });

  it("gives the same images bit for bit for the same seed, and others for another", () => {
    const images = randomImages(16, 32);
    const view = (seed: number) =>
      augment(images, drawAugmentation(mocoV2, 16, 32, randomStream(seed, "augment", 7)), 32);
    expect(view(1).dataSync()).toEqual(view(1).dataSync());
    expect(largestDifference(view(1), view(2))).toBeGreaterThan(0.1);
  });

  it("keeps values in 0..1 to rounding", () => {
    const images = randomImages(64, 32);
    const view = augment(images, drawAugmentation(mocoV1, 64, 32, randomStream(3, "augment")), 32);
    expect(view.min().dataSync()[0]).toBeGreaterThan(-1e-6);
    expect(view.max().dataSync()[0]).toBeLessThan(1 + 1e-6);
  });

  it("leaves no tensor behind but its result", () => {
    const images = randomImages(8, 32);
    const parameters = drawAugmentation(mocoV2, 8, 32, randomStream(0, "augment"));
    const before = tf.memory().numTensors;
    normalize(augment(images, parameters, 32), [0.5, 0.5, 0.5], [0.2, 0.2, 0.2]);
    expect(tf.memory().numTensors).toBe(before + 2);
  });

  it("refuses images that the parameters are not for", () => {
    expect(() => augment(randomImages(2, 16), unchanged(3, 16), 16)).toThrow(
      "Cannot augment: images must be [3, 16, 16, 3], current shape is [2, 16, 16, 3]",
    );
  });
});

describe("normalize", () => {
  it("gives each channel mean 0 and standard deviation 1 if they were the given ones", () => {
    const images = tf.tensor4d([0.1, 0.4, 0.9, 0.3, 0.8, 0.7], [1, 1, 2, 3]);
    const normal = normalize(images, [0.2, 0.6, 0.8], [0.1, 0.2, 0.1]);
    expect(largestDifference(normal, tf.tensor4d([-1, -1, 1, 1, 1, -1], [1, 1, 2, 3]))).toBeLessThan(1e-6);
  });
});
