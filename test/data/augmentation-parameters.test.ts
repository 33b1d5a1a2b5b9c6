import { describe, expect, it } from "vitest";
import { drawView, type ViewParameters } from "../../src/data/augmentation-parameters";
import { type AugmentationPolicy, cifar10Demo, mocoV1, mocoV2, simclrStrong } from "../../src/data/augmentation-policy";
import { type Random, randomStream } from "../../src/engine/random";

const count = 24_000;
/** So large that rounding crops to whole pixels does not show. */
const size = 2000;

/** The parameters of views of so many square images. */
function drawViewsOf(policy: AugmentationPolicy, images: number, side: number, random: Random): ViewParameters[] {
  return Array.from({ length: images }, () => drawView(policy, { height: side, width: side }, random));
}

const v1 = drawViewsOf(mocoV1, count, size, randomStream(0, "test", "v1"));
const v2 = drawViewsOf(mocoV2, count, size, randomStream(0, "test", "v2"));
const cropsOfV1 = v1.map(({ crop }) => crop);

interface Moments {
  readonly mean: number;
  readonly variance: number;
}

function momentsOf(values: readonly number[]): Moments {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length };
}

/** Mean and variance within four standard errors of those of the uniform distribution from low to high, and no value outside. */
function expectUniform(values: readonly number[], low: number, high: number): void {
  const width = high - low;
  const { mean, variance } = momentsOf(values);
  expect(Math.abs(mean - (low + high) / 2)).toBeLessThan((4 * width) / Math.sqrt(12 * values.length));
  expect(Math.abs(variance - width ** 2 / 12)).toBeLessThan((4 * width ** 2) / Math.sqrt(180 * values.length));
  const rounding = 1e-3;
  expect(values.reduce((least, value) => Math.min(least, value))).toBeGreaterThan(low - rounding);
  expect(values.reduce((most, value) => Math.max(most, value))).toBeLessThan(high + rounding);
}

/** The share of images for which something was drawn, within four standard errors. */
function expectShare(drawn: number, trials: number, probability: number): void {
  const error = Math.sqrt((probability * (1 - probability)) / trials);
  expect(Math.abs(drawn / trials - probability)).toBeLessThan(4 * error);
}

const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);
const areas = (views: readonly ViewParameters[]) =>
  views.map(({ crop: { height, width } }) => (height * width) / size ** 2);
const amounts = (views: readonly ViewParameters[], operation: number) =>
  views.map(({ jitter }) => jitter.amounts[operation]!);

describe("the crop", () => {
  const shares = areas(v1);
  // Crops below 3/4 of the area fit into the image whatever their ratio, so none of them had to be drawn again.
  const fitting = [...shares.keys()].filter((image) => shares[image]! < 0.75);

  it("has a share of the area that is uniform from 0.2 on", () => {
    expectUniform(
      fitting.map((image) => shares[image]!),
      0.2,
      0.75,
    );
  });

  it("has a ratio of width to height whose logarithm is uniform", () => {
    const logRatios = fitting.map((image) => Math.log(cropsOfV1[image]!.width / cropsOfV1[image]!.height));
    expectUniform(logRatios, Math.log(3 / 4), Math.log(4 / 3));
  });

  it("is drawn again where it does not fit into the image", () => {
    // A crop of share A fits if A is at most exp(-|log ratio|): the mean of that exponential is (1 - 3/4) / log(4/3).
    const fits = ((1 - 3 / 4) / Math.log(4 / 3) - 0.2) / 0.8;
    expectShare(fitting.length, count, (0.75 - 0.2) / 0.8 / fits);
  });

  it("lies anywhere in the image", () => {
    const inside = cropsOfV1.filter(({ height }) => height < 0.9 * size);
    expectUniform(
      inside.map(({ top, height }) => top / (size - height)),
      0,
      1,
    );
    const insideAcross = cropsOfV1.filter(({ width }) => width < 0.9 * size);
    expectUniform(
      insideAcross.map(({ left, width }) => left / (size - width)),
      0,
      1,
    );
  });

  it("starts from 0.08 of the area in the CIFAR-10 demo", () => {
    const demo = areas(drawViewsOf(cifar10Demo, count, size, randomStream(0, "test", "demo")));
    expectUniform(
      demo.filter((share) => share < 0.75),
      0.08,
      0.75,
    );
  });

  it("is the largest in the middle, of an aspect within the bounds, where ten tries do not fit", () => {
    const whole = { ...mocoV1, crop: { scale: [1, 1], ratio: [0.75, 1.5] } } as const;
    const crop = (height: number, width: number, policy: AugmentationPolicy = whole) =>
      drawView(policy, { height, width }, randomStream(0, "test")).crop;
    // What torchvision's get_params gives when its tries fail: (top, left, height, width).
    expect(crop(40, 100)).toEqual({ top: 0, left: 20, height: 40, width: 60 });
    expect(crop(100, 30)).toEqual({ top: 30, left: 0, height: 40, width: 30 });
    const square = { ...whole, crop: { scale: [1.5, 2], ratio: [0.75, 1.5] } } as const;
    expect(crop(32, 32, square)).toEqual({ top: 0, left: 0, height: 32, width: 32 });
  });

  it("keeps at least one pixel of a tiny image", () => {
    const crops = drawViewsOf(cifar10Demo, 200, 2, randomStream(0, "test")).map(({ crop }) => crop);
    expect(Math.min(...crops.flatMap(({ height, width }) => [height, width]))).toBe(1);
  });
});

describe("the color jitter", () => {
  it("draws each of the 24 orders equally often", () => {
    const counts = new Map<string, number>();
    for (const { jitter } of v1) {
      const order = jitter.order.join("");
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    const expected = count / 24;
    const chiSquare = sum([...counts.values()].map((drawn) => (drawn - expected) ** 2 / expected));
    expect(chiSquare).toBeLessThan(49.7); // 23 degrees of freedom, p = 0.001
  });

  it("is applied to every image in v1, with hue as strong as the rest", () => {
    for (const factor of [0, 1, 2]) expectUniform(amounts(v1, factor), 0.6, 1.4);
    expectUniform(amounts(v1, 3), -0.4, 0.4);
  });

  it("is applied to four images in five in v2, with little hue", () => {
    const shifts = amounts(v2, 3);
    const jittered = [...shifts.keys()].filter((image) => shifts[image] !== 0);
    expectShare(jittered.length, count, 0.8);
    for (const factor of [0, 1, 2]) {
      const drawn = amounts(v2, factor);
      expectUniform(
        jittered.map((image) => drawn[image]!),
        0.6,
        1.4,
      );
      expect(sum(drawn.map((amount) => Number(amount !== 1)))).toBe(jittered.length);
    }
    expectUniform(
      jittered.map((image) => shifts[image]!),
      -0.1,
      0.1,
    );
  });

  it("does not draw negative factors", () => {
    const strong = { ...mocoV1, jitter: { ...mocoV1.jitter, brightness: 2 } };
    expectUniform(amounts(drawViewsOf(strong, count, size, randomStream(0, "test", "strong")), 0), 0, 3);
  });
});

describe("the other steps", () => {
  it("turn a fifth of the images gray and half of them around", () => {
    for (const views of [v1, v2]) {
      expectShare(views.filter(({ gray }) => gray).length, count, 0.2);
      expectShare(views.filter(({ flip }) => flip).length, count, 0.5);
    }
  });

  it("blur half of the images in v2, by 0.1 to 2 pixels, and none in v1", () => {
    expect(v1.every(({ blurSigma }) => blurSigma === 0)).toBe(true);
    const sigmas = v2.map(({ blurSigma }) => blurSigma).filter((sigma) => sigma > 0);
    expectShare(sigmas.length, count, 0.5);
    expectUniform(sigmas, 0.1, 2);
  });
});

describe("drawView", () => {
  it("is a function of the policy, the size and the stream alone", () => {
    const draw = (seed: number) => drawViewsOf(mocoV2, 10, 32, randomStream(seed, "augment", 4));
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
  });
});

describe("SimCLR's strong augmentation", () => {
  const strong = drawViewsOf(simclrStrong, count, size, randomStream(0, "test", "simclr"));
  const brightness = amounts(strong, 0);
  const jittered = [...brightness.keys()].filter((image) => brightness[image] !== 1);

  it("jitters four images in five, twice as strongly as MoCo v2", () => {
    expectShare(jittered.length, count, 0.8);
    for (const operation of [0, 1, 2]) {
      const factors = amounts(strong, operation);
      expectUniform(
        jittered.map((image) => factors[image]!),
        0.2,
        1.8,
      );
    }
    const hues = amounts(strong, 3);
    expectUniform(
      jittered.map((image) => hues[image]!),
      -0.2,
      0.2,
    );
  });

  it("crops from 0.08 of the area on, and blurs half of the images", () => {
    expect(areas(strong).reduce((least, area) => Math.min(least, area))).toBeLessThan(0.1);
    expectShare(strong.filter(({ blurSigma }) => blurSigma > 0).length, count, 0.5);
  });
});
