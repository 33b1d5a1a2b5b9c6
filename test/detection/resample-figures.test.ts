import { describe, expect, it } from "vitest";
import { withMasks } from "../../src/detection/detection-presets";
import type { Detection } from "../../src/detection/detection-set";
import { detectionFigures } from "../../src/detection/evaluate-detector";
import { rleOf } from "../../src/detection/polygon-mask";
import { resampleFigures } from "../../src/detection/resample-figures";
import { drawImages } from "../../src/statistics/two-level-bootstrap";
import { tinyDetection, tinySet } from "./tiny-detection";

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

describe("resampleFigures", () => {
  it("has figures of masks where they are predicted: those of the whole set, and of each draw", () => {
    const draws = [once, ...drawImages(set.images.length, 20, 1)];
    const figures = resampleFigures(set, detections, withMasks(recipe), draws);
    const { ap, masks } = detectionFigures(set, detections, "coco", { masks: true });
    expect([ap, figures.ap.value]).toEqual([1, 1]);
    expect(masks!.ap).toBeLessThan(0.9);
    expect([figures.maskAp, figures.maskAp50, figures.maskAp75].map((one) => one!.value)).toEqual([
      masks!.ap,
      masks!.ap50,
      masks!.ap75,
    ]);
    expect(figures.maskAp!.drawn[0]).toBe(masks!.ap);
    expect(new Set(figures.maskAp!.drawn).size).toBeGreaterThan(5);
  });

  it("reads a draw of one image as that image alone", () => {
    const last = new Uint16Array(set.images.length);
    last[set.images.length - 1] = 3;
    const alone = { ...set, images: set.images.slice(-1) };
    const found = detections.filter(({ imageId }) => imageId === alone.images[0]!.id);
    const { maskAp } = resampleFigures(set, detections, withMasks(recipe), [last]);
    expect(maskAp!.drawn[0]).toBeCloseTo(detectionFigures(alone, found, "coco", { masks: true }).masks!.ap, 12);
  });

  it("has none of masks where they are not predicted, and does not ask for them", () => {
    const boxes = detections.map(({ imageId, category, box, score }) => ({ imageId, category, box, score }));
    expect(Object.keys(resampleFigures(set, boxes, recipe, [once]))).toEqual([
      "ap",
      "ap50",
      "ap75",
      "objectAp",
      "objectAp50",
    ]);
  });
});
