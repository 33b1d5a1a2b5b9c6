import { describe, expect, it } from "vitest";
import type { Detection } from "../../src/detection/detection-set";
import { disposeDetector, createDetector } from "../../src/detection/detector";
import { classAgnostic, detectionFigures, detectSet } from "../../src/detection/evaluate-detector";
import { InterruptedError } from "../../src/engine/errors";
import { randomStream } from "../../src/engine/random";
import { tf } from "../../src/engine/tf";
import { disposeEncoder } from "../../src/nn/encoder";
import { tinyDetection, tinyInitialisation, tinySet } from "./tiny-detection";

const set = tinySet();
const perfect: Detection[] = set.images.flatMap(({ id, objects }) =>
  objects.map(({ box, category }, index) => ({ imageId: id, category, box, score: 0.9 - 0.1 * index })),
);
const confused = perfect.map((detection) => ({ ...detection, category: 1 - detection.category }));

describe("detectionFigures", () => {
  it.each(["coco", "voc-11-point", "voc-area"] as const)("are 1 for the objects themselves, by %s", (metric) => {
    const figures = detectionFigures(set, perfect, metric);
    expect(figures).toMatchObject({ metric, ap: 1, ap50: 1, ap75: 1 });
    expect(figures.categories).toEqual([
      { name: "even", ap: 1 },
      { name: "odd", ap: 1 },
    ]);
    expect(figures.coco?.ar[2]).toBe(metric === "coco" ? 1 : undefined);
  });

  it("are 0 for wrong categories, but not without categories", () => {
    const single = { ...set, images: set.images.map((image) => ({ ...image, objects: image.objects.slice(0, 1) })) };
    const wrong = confused.filter(({ score }) => score === 0.9);
    const { ap50, classAgnostic: blind } = detectionFigures(single, wrong, "coco");
    expect(ap50).toBe(0);
    expect(blind.ap50).toBe(1);
  });
});

describe("classAgnostic", () => {
  it("keeps the best of boxes that overlap in a picture, and those of other pictures", () => {
    const box = [0, 0, 10, 10] as const;
    const near = [0, 0, 10, 9] as const;
    const apart = [0, 0, 10, 5] as const; // IoU of 0.5 with the first: not above
    const detections: Detection[] = [
      { imageId: 1, category: 0, box: near, score: 0.5 },
      { imageId: 1, category: 1, box, score: 0.8 },
      { imageId: 1, category: 1, box: apart, score: 0.1 },
      { imageId: 2, category: 0, box, score: 0.2 },
    ];
    const kept = classAgnostic(set, detections).detections;
    expect(kept.map(({ imageId, score, category }) => [imageId, score, category])).toEqual([
      [1, 0.8, 0],
      [1, 0.1, 0],
      [2, 0.2, 0],
    ]);
  });
});

describe("detectSet", () => {
  const { detector: config, pictures } = tinyDetection();
  const random = () => {
    const encoder = tinyInitialisation.createEncoder();
    const detector = createDetector({ ...config, classes: 2 }, encoder, randomStream(1, "heads"));
    disposeEncoder(encoder);
    return detector;
  };

  it("finds boxes within each picture's own pixels, and leaves no tensor", async () => {
    const before = tf.memory().numTensors;
    const detector = random();
    const done: number[] = [];
    const found = await detectSet(detector, set, pictures, { onPicture: (count) => done.push(count) });
    disposeDetector(detector);
    expect(done).toEqual([1, 2, 3, 4, 5]);
    expect(tf.memory().numTensors).toBe(before);
    for (const { id, width, height } of set.images) {
      const boxes = found.filter(({ imageId }) => imageId === id).map(({ box }) => box);
      expect(boxes.length).toBeGreaterThan(0);
      // The picture was resized: boxes reach beyond its half, and not beyond its border.
      expect(Math.max(...boxes.map(([, , x2]) => x2))).toBeLessThanOrEqual(width);
      expect(Math.max(...boxes.map(([, , , y2]) => y2))).toBeLessThanOrEqual(height);
      expect(Math.max(...boxes.map(([, , x2]) => x2))).toBeGreaterThan(width / 2);
    }
  });

  it("stops between pictures when asked", async () => {
    const detector = random();
    await expect(detectSet(detector, set, pictures, { stopRequested: () => true })).rejects.toThrow(InterruptedError);
    disposeDetector(detector);
  });
});
