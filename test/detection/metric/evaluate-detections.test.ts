import { describe, expect, it } from "vitest";
import type { Box, Detection } from "../../../src/detection/structures/detection-set";
import { disposeDetector, createDetector } from "../../../src/detection/model/detector";
import { classAgnostic, evaluateDetections } from "../../../src/detection/metric/evaluate-detections";
import { detectSet } from "../../../src/detection/train/detect-set";
import { maskArea, maskBox } from "../../../src/detection/structures/mask-rle";
import { rleOf } from "../../../src/detection/structures/polygon-mask";
import { resampleMetrics } from "../../../src/detection/metric/resample-metrics";
import { InterruptedError } from "../../../src/errors";
import { randomStream } from "../../../src/engine/random";
import { tf } from "../../../src/engine/tf";
import { drawImages } from "../../../src/statistics/two-level-bootstrap";
import { disposeEncoder } from "../../../src/nn/encoder";
import { tinyDetection, tinyInitialization, tinySet } from "../tiny-detection";

const set = tinySet();
const perfect: Detection[] = set.images.flatMap(({ id, objects }) =>
  objects.map(({ box, category }, index) => ({ imageId: id, category, box, score: 0.9 - 0.1 * index })),
);
const confused = perfect.map((detection) => ({ ...detection, category: 1 - detection.category }));

describe("evaluateDetections", () => {
  it.each(["coco", "voc-11-point", "voc-area"] as const)("are 1 for the objects themselves, by %s", (metric) => {
    const metrics = evaluateDetections(set, perfect, metric);
    expect(metrics).toMatchObject({ metric, ap: 1, ap50: 1, ap75: 1 });
    expect(metrics.categories).toEqual([
      { name: "even", ap: 1 },
      { name: "odd", ap: 1 },
    ]);
    expect(metrics.coco?.ar[2]).toBe(metric === "coco" ? 1 : undefined);
  });

  it("are 1 for the masks of the objects themselves, and 0 for boxes in their place that are half as high", () => {
    const withMask = (lowered: boolean) =>
      set.images.flatMap(({ id, objects, height, width }) =>
        objects.map(({ box, category, mask }, index) => {
          const [x1, y1, x2, y2] = box;
          const half = [[x1, y1, x2, y1, x2, (y1 + y2) / 2 - 1, x1, (y1 + y2) / 2 - 1]];
          const rle = rleOf(lowered ? half : mask!, height, width);
          return { imageId: id, category, box, score: 0.9 - 0.1 * index, mask: rle };
        }),
      );
    expect(evaluateDetections(set, withMask(false), "coco", { masks: true }).masks).toMatchObject({ ap: 1, ap50: 1 });
    const { masks, ap } = evaluateDetections(set, withMask(true), "coco", { masks: true });
    expect([ap, masks!.ap50]).toEqual([1, 0]);
    expect(evaluateDetections(set, perfect, "coco").masks).toBeUndefined();
  });

  it("count as many detections of an image as the detector keeps", () => {
    // 150 objects in one image, all found.
    const object = (index: number) => {
      const box = [
        10 * (index % 15),
        10 * Math.floor(index / 15),
        10 * (index % 15) + 8,
        10 * Math.floor(index / 15) + 8,
      ];
      const mask = [[box[0]!, box[1]!, box[2]!, box[1]!, box[2]!, box[3]!, box[0]!, box[3]!]];
      return { box: box as unknown as Box, category: 0, difficult: false, crowd: false, area: 64, mask };
    };
    const objects = Array.from({ length: 150 }, (_, index) => object(index));
    const image = { ...set.images[0]!, width: 150, height: 100, objects };
    const crowded = { ...set, images: [image] };
    const found = objects.map(({ box, category, mask }, index) => ({
      imageId: image.id,
      category,
      box,
      score: 1 - index / 1000,
      mask: rleOf(mask, image.height, image.width),
    }));
    const few = evaluateDetections(crowded, found, "coco", { masks: true });
    const all = evaluateDetections(crowded, found, "coco", { masks: true, detectionsPerImage: 150 });
    for (const [metrics, recall] of [
      [few, 100 / 150],
      [all, 1],
    ] as const) {
      for (const { ar } of [metrics.coco!, metrics.masks!]) {
        [1 / 150, 10 / 150, recall].forEach((expected, at) => expect(ar[at]).toBeCloseTo(expected, 12));
      }
      expect(metrics.classAgnostic.ap50).toBe(metrics.ap50);
    }
    expect(few.ap50).toBeLessThan(0.7);
    expect(all.ap50).toBe(1);
    const recipe = (detectionsPerImage?: number) => ({
      metric: "coco" as const,
      detector: { ...tinyDetection().detector, detectionsPerImage },
    });
    const resampled = (detectionsPerImage?: number) =>
      resampleMetrics(crowded, found, recipe(detectionsPerImage), drawImages(1, 2, 1));
    expect(resampled().ap50.value).toBe(few.ap50);
    expect(resampled(150)).toMatchObject({ ap50: { value: 1 }, objectAp50: { value: 1 } });
  });

  it("are 0 for wrong categories, but not without categories", () => {
    const single = { ...set, images: set.images.map((image) => ({ ...image, objects: image.objects.slice(0, 1) })) };
    const wrong = confused.filter(({ score }) => score === 0.9);
    const { ap50, classAgnostic: blind } = evaluateDetections(single, wrong, "coco");
    expect(ap50).toBe(0);
    expect(blind.ap50).toBe(1);
  });
});

describe("classAgnostic", () => {
  it("keeps the best of boxes that overlap in an image, and those of other images", () => {
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
  const { detector: config, images } = tinyDetection();
  const random = () => {
    const encoder = tinyInitialization.createEncoder();
    const detector = createDetector({ ...config, classes: 2 }, encoder, randomStream(1, "heads"));
    disposeEncoder(encoder);
    return detector;
  };

  it("finds boxes within each image's own pixels, and leaves no tensor", async () => {
    const before = tf.memory().numTensors;
    const detector = random();
    const done: number[] = [];
    const found = await detectSet(detector, set, images, { onImage: (count) => done.push(count) });
    disposeDetector(detector);
    expect(done).toEqual([1, 2, 3, 4, 5]);
    expect(tf.memory().numTensors).toBe(before);
    for (const { id, width, height } of set.images) {
      const boxes = found.filter(({ imageId }) => imageId === id).map(({ box }) => box);
      expect(boxes.length).toBeGreaterThan(0);
      // The image was resized: boxes reach beyond its half, and not beyond its border.
      expect(Math.max(...boxes.map(([, , x2]) => x2))).toBeLessThanOrEqual(width);
      expect(Math.max(...boxes.map(([, , , y2]) => y2))).toBeLessThanOrEqual(height);
      expect(Math.max(...boxes.map(([, , x2]) => x2))).toBeGreaterThan(width / 2);
    }
  });

  it("predicts a mask of each box, in the image's own pixels and not beyond the box", async () => {
    const encoder = tinyInitialization.createEncoder();
    const detector = createDetector({ ...config, classes: 2, masks: true }, encoder, randomStream(1, "heads"));
    disposeEncoder(encoder);
    const before = tf.memory().numTensors;
    const found = await detectSet(detector, set, images);
    expect(tf.memory().numTensors).toBe(before);
    disposeDetector(detector);
    expect(found.length).toBeGreaterThan(0);
    let pixels = 0;
    for (const { imageId, box, mask } of found) {
      const { height, width } = set.images.find(({ id }) => id === imageId)!;
      expect(mask!.size).toEqual([height, width]);
      pixels += maskArea(mask!);
      if (maskArea(mask!) === 0) continue;
      const around = maskBox(mask!);
      for (const side of [0, 1] as const) {
        expect(around[side]).toBeGreaterThanOrEqual(Math.floor(box[side]));
        expect(around[side + 2]).toBeLessThanOrEqual(Math.ceil(box[side + 2]!));
      }
    }
    expect(pixels).toBeGreaterThan(0);
  });

  it("stops between images when asked", async () => {
    const detector = random();
    await expect(detectSet(detector, set, images, { stopRequested: () => true })).rejects.toThrow(InterruptedError);
    disposeDetector(detector);
  });
});
