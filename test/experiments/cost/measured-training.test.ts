import { describe, expect, it } from "vitest";
import { imagesInMemory, stepKey, withBatch } from "../../../src/experiments/cost/measured-training";
import { trainingsNamed, type PlannedTraining } from "../../../src/experiments/cost/planned-training";

const named = (name: string): PlannedTraining => trainingsNamed([name])[0]!;

describe("withBatch", () => {
  it("keeps the images of a group of batch normalization, and makes one group of fewer", () => {
    const mocoV1 = named("moco-v1-imagenet");
    expect(withBatch(mocoV1, 64).recipe).toMatchObject({ batchSize: 64, bnGroups: 2, imageSize: 224 });
    expect(withBatch(mocoV1, 8).recipe).toMatchObject({ batchSize: 8, bnGroups: 1 });
    expect(withBatch(mocoV1, 256)).toEqual(mocoV1);
    expect(() => withBatch(mocoV1, 48)).toThrow("must be a multiple of the 32 images");
  });

  it("makes the chunks of the gradient cache as large as the batch", () => {
    const simclr = named("simclr-imagenet-4096");
    expect(imagesInMemory(simclr)).toBe(256);
    const smaller = withBatch(simclr, 16);
    expect(smaller.recipe).toMatchObject({ batchSize: 16, bnGroups: 2, method: { chunkSize: 16 } });
    expect(imagesInMemory(smaller)).toBe(16);
  });

  it("changes nothing else of a detector", () => {
    const detector = named("coco_R_50_C4_1x");
    expect(withBatch(detector, 2).recipe).toEqual({ ...detector.recipe, batchSize: 2 });
    expect(imagesInMemory(detector)).toBe(16);
  });
});

describe("stepKey", () => {
  it.each([
    ["moco-v2-imagenet-200", "moco-v2-imagenet-800"],
    ["end-to-end-imagenet-256", "end-to-end-imagenet-1024"],
    ["pascal_voc_R_50_C4_24k", "pascal_voc_R_50_C4_9k"],
    ["coco_R_50_C4_1x", "coco_R_50_C4_2x"],
  ])("is the same for %s and %s", (one, other) => expect(stepKey(named(one))).toBe(stepKey(named(other))));

  it.each([
    ["moco-v1-imagenet", "moco-v2-imagenet-200"],
    ["moco-v1-imagenet", "memory-bank-imagenet"],
    ["pascal_voc_R_50_C4_24k", "pascal_voc_R_50_dilated_C5_24k"],
    ["pascal_voc_R_50_C4_24k", "coco_R_50_C4_1x"],
  ])("is another for %s and %s", (one, other) => expect(stepKey(named(one))).not.toBe(stepKey(named(other))));
});
