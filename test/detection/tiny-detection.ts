import type { DetectionRecipe } from "../../src/detection/detection-recipe";
import { parseDetectionRecipe } from "../../src/detection/detection-recipe";
import { detectionPreset } from "../../src/recipes/detection-presets";
import type { DetectionImage, DetectionSet } from "../../src/detection/structures/detection-set";
import type { Initialization } from "../../src/detection/train/detector-training";
import { randomStream } from "../../src/engine/random";
import { createEncoder } from "../../src/nn/encoder";

/** A recipe that trains in a second: ResNet-18 of width 2, 6 steps of two images of 24 to 32 pixels. */
export function tinyDetection(changes: Partial<DetectionRecipe> = {}): DetectionRecipe {
  const smoke = detectionPreset("smoke");
  return parseDetectionRecipe({
    ...smoke,
    name: "tiny",
    source: "made for the tests",
    detector: {
      ...smoke.detector,
      backbone: { architecture: "resnet18", width: 2, stem: "cifar" },
      anchorsPerImage: 16,
      roisPerImage: 8,
    },
    images: { ...smoke.images, trainShortest: [24, 28], testShortest: 24, longest: 32 },
    ...changes,
  });
}

/**
 * Random images, each with one or two objects of two categories.
 *
 * @param sizeOf - height and width of each image; by default all are different
 */
export function tinySet(
  count = 5,
  sizeOf: (index: number) => readonly [number, number] = (index) => [20 + 3 * index, 32 - 3 * index],
): DetectionSet {
  const images = Array.from({ length: count }, (_, index): DetectionImage => {
    const [height, width] = sizeOf(index);
    const objects = Array.from({ length: 1 + (index % 2) }, (_, object) => ({
      box: [2 + object, 3, 12 + object, 15] as const,
      category: (index + object) % 2,
      difficult: false,
      crowd: false,
      area: 120,
      mask: [[2 + object, 3, 12 + object, 3, 12 + object, 15, 2 + object, 15]],
    }));
    return { id: index + 1, fileName: `${index + 1}.png`, width, height, objects };
  });
  return {
    name: "tiny",
    categories: ["even", "odd"].map((name, index) => ({ id: index + 1, name })),
    images,
    readPixels: ({ id, width, height }) => {
      const random = randomStream(1, "pixels", id);
      return Promise.resolve(Uint8Array.from({ length: width * height * 3 }, () => random.integer(256)));
    },
  };
}

/** Random weights for the tiny recipe's backbone. */
export const tinyInitialization: Initialization = {
  name: "random",
  checksum: null,
  createEncoder: () =>
    createEncoder({ ...tinyDetection().detector.backbone, head: "linear", dimension: 1 }, randomStream(1, "backbone")),
};
