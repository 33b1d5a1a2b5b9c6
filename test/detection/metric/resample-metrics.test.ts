import { describe, expect, it } from "vitest";
import { withMasks } from "../../../src/recipes/detection-presets";
import type { Detection } from "../../../src/detection/structures/detection-set";
import { evaluateDetections } from "../../../src/detection/metric/evaluate-detections";
import { rleOf } from "../../../src/detection/structures/polygon-mask";
import { resampleMetrics } from "../../../src/detection/metric/resample-metrics";
import { drawImages } from "../../../src/statistics/two-level-bootstrap";
import { tinyDetection, tinySet } from "../tiny-detection";

const set = tinySet();
/** The objects themselves, their masks cut off from the right: the more, the later the image. */
const detections = set.images.flatMap(({ id, objects, height, width }, image) =>
  objects.map(({ box, category }): Detection => {
    const [x1, y1, x2, y2] = box;
    const right = x2 - image;
    const mask = rleOf([[x1, y1, right, y1, right, y2, x1, y2]], height, width);
    return { imageId: id, category, box, score: 0.9 - 0.1 * image, mask };
  }),
);
const recipe = tinyDetection();
const once = new Uint16Array(set.images.length).fill(1);

describe("resampleMetrics", () => {
  it("has metrics of masks where they are predicted: those of the whole set, and of each draw", () => {
    const draws = [once, ...drawImages(set.images.length, 20, 1)];
    const metrics = resampleMetrics(set, detections, withMasks(recipe), draws);
    const { ap, masks } = evaluateDetections(set, detections, "coco", { masks: true });
    expect([ap, metrics.ap.value]).toEqual([1, 1]);
    expect(masks!.ap).toBeLessThan(0.9);
    expect([metrics.maskAp, metrics.maskAp50, metrics.maskAp75].map((one) => one!.value)).toEqual([
      masks!.ap,
      masks!.ap50,
      masks!.ap75,
    ]);
    expect(metrics.maskAp!.drawn[0]).toBe(masks!.ap);
    expect(new Set(metrics.maskAp!.drawn).size).toBeGreaterThan(5);
    expect(metrics.maskCategoryAp!.map(({ value }) => value)).toEqual(masks!.categoryAp);
    expect(metrics.maskCategoryAp![0]!.drawn[0]).toBe(masks!.categoryAp[0]);
    expect(metrics.categoryAp.map(({ value }) => value)).toEqual(set.categories.map(() => 1));
  });

  it("reads a draw of one image as that image alone", () => {
    const last = new Uint16Array(set.images.length);
    last[set.images.length - 1] = 3;
    const alone = { ...set, images: set.images.slice(-1) };
    const found = detections.filter(({ imageId }) => imageId === alone.images[0]!.id);
    const { maskAp } = resampleMetrics(set, detections, withMasks(recipe), [last]);
    expect(maskAp!.drawn[0]).toBeCloseTo(evaluateDetections(alone, found, "coco", { masks: true }).masks!.ap, 12);
  });

  it("has none of masks where they are not predicted, and does not ask for them", () => {
    const boxes = detections.map(({ imageId, category, box, score }) => ({ imageId, category, box, score }));
    const metrics = resampleMetrics(set, boxes, recipe, [once]);
    expect(Object.keys(metrics)).not.toContain("maskAp");
    expect(metrics.maskCategoryAp).toBeUndefined();
  });
});
