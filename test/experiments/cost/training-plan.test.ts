import { describe, expect, it } from "vitest";
import { trainingsNamed } from "../../../src/experiments/cost/planned-training";
import { planOf, type TrainingPlan } from "../../../src/experiments/cost/training-plan";

const plan = (name: string): TrainingPlan => planOf(trainingsNamed([name])[0]!);

/** torchvision's resnet50 without its classifier. */
const resnet50 = 23_508_032;
/** A fully connected layer to MoCo's 128 numbers. */
const linearHead = 2048 * 128 + 128;

describe("planOf", () => {
  it("has the official iterations of MoCo v1: 5,004 an epoch", () => {
    expect(plan("moco-v1-imagenet")).toMatchObject({
      task: "pre-training",
      batchSize: 256,
      epochs: 200,
      iterations: 200 * 5004,
      imagesSeen: 200 * 5004 * 256,
      size: { height: 224, width: 224 },
      parameters: resnet50 + linearHead,
    });
  });

  it("has the official iterations of the linear classifier: 5,005 an epoch, the last batch smaller", () => {
    expect(plan("linear-imagenet")).toMatchObject({
      task: "linear classification",
      batchSize: 256,
      epochs: 100,
      iterations: 100 * 5005,
      imagesSeen: 100 * 1_281_167,
      parameters: 2048 * 1000 + 1000,
      rates: { first: 30 },
    });
    expect(plan("linear-imagenet").rates.last).toBeCloseTo(0.3, 12);
  });

  it("counts every network that the optimizer moves: MoCo's is one, end-to-end has two", () => {
    expect(plan("end-to-end-imagenet-1024")).toMatchObject({
      iterations: 200 * 1251,
      parameters: 2 * (resnet50 + linearHead),
    });
  });

  it("has the learning rate of the first and of the last iteration", () => {
    expect(plan("moco-v1-imagenet").rates.last).toBeCloseTo(3e-4, 12);
    expect(plan("moco-v2-imagenet-200").rates.first).toBe(0.03);
    expect(plan("moco-v2-imagenet-200").rates.last).toBeCloseTo(0.015 * (1 + Math.cos((Math.PI * 199) / 200)), 12);
    expect(plan("pascal_voc_R_50_C4_24k").rates.first).toBeCloseTo(0.02 / 1000, 12);
    expect(plan("pascal_voc_R_50_C4_24k").rates.last).toBeCloseTo(0.02 / 100, 12);
  });

  it("says how often a detector sees the training set", () => {
    expect(plan("pascal_voc_R_50_C4_24k")).toMatchObject({
      task: "detection",
      iterations: 24_000,
      epochs: (24_000 * 16) / 16_551,
      size: { height: 800, width: 1333 },
    });
  });
});
