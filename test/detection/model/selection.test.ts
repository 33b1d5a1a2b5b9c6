import { describe, expect, it } from "vitest";
import { detectionsOf, rescaleDetections } from "../../../src/detection/model/detections";
import { proposeRegions } from "../../../src/detection/model/region-proposals";
import { relativeError } from "../../engine/double-precision";
import fixture from "../fixtures/selection.json";

const { height, width } = fixture;
const floats = (values: readonly number[]) => Float32Array.from(values);
const levels = fixture.levels.map((level) => ({
  anchors: floats(level.anchors),
  objectness: floats(level.objectness),
  deltas: floats(level.deltas),
}));

describe("proposeRegions", () => {
  it.each(fixture.proposals)(
    "finds the regions that detectron2's rule finds with torchvision: $beforeNms of a level before, $afterNms after",
    ({ beforeNms, afterNms, boxes, scores }) => {
      const proposals = proposeRegions(levels, { height, width }, { beforeNms, afterNms });
      expect(relativeError(proposals.scores, scores)).toBeLessThan(1e-6);
      expect(relativeError(proposals.boxes, boxes)).toBeLessThan(1e-6);
    },
  );

  it("clips to the image without its padding and drops what is outside", () => {
    const small = { height: 30, width: 40 };
    const { boxes } = proposeRegions(levels, small, { beforeNms: 1000, afterNms: 1000 });
    for (let at = 0; at < boxes.length; at += 4) {
      expect(boxes[at]!).toBeGreaterThanOrEqual(0);
      expect(boxes[at + 1]!).toBeGreaterThanOrEqual(0);
      expect(boxes[at + 2]!).toBeGreaterThan(boxes[at]!);
      expect(boxes[at + 3]!).toBeGreaterThan(boxes[at + 1]!);
      expect(boxes[at + 2]!).toBeLessThanOrEqual(40);
      expect(boxes[at + 3]!).toBeLessThanOrEqual(30);
    }
  });

  it("says that training has diverged where a score or a box is not finite", () => {
    const [first] = levels as [(typeof levels)[number]];
    const limits = { beforeNms: 1000, afterNms: 10 };
    for (const bad of [
      { ...first, objectness: first.objectness.map((value, index) => (index === 3 ? NaN : value)) },
      { ...first, deltas: first.deltas.map((value, index) => (index === 9 ? Infinity : value)) },
    ]) {
      expect(() => proposeRegions([bad], { height, width }, limits)).toThrow(/Cannot propose regions: .* diverged/);
    }
  });
});

describe("detectionsOf", () => {
  const { regions, probabilities, deltas, boxes, scores, classes } = fixture.detections;

  it("finds what detectron2's rule finds with torchvision", () => {
    const ours = detectionsOf(floats(regions), floats(probabilities), floats(deltas), { height, width });
    expect([...ours.classes]).toEqual(classes);
    expect(relativeError(ours.scores, scores)).toBeLessThan(1e-6);
    expect(relativeError(ours.boxes, boxes)).toBeLessThan(1e-6);
  });

  it("keeps the best, as many as a detector says, and 100 where it says nothing", () => {
    const count = 130;
    // Boxes that do not overlap, of one class, with falling scores.
    const apart = Float32Array.from({ length: 4 * count }, (_, at) => 2 * Math.floor(at / 4) + (at % 4 > 1 ? 1 : 0));
    const likely = Float32Array.from({ length: 2 * count }, (_, at) => (at % 2 === 0 ? 0.9 - at / 1000 : 0.1));
    const found = (limit?: number) =>
      detectionsOf(apart, likely, new Float32Array(4 * count), { height: 400, width: 400 }, limit).scores;
    expect(found()).toHaveLength(100);
    expect(found(120)).toEqual(likely.filter((_, at) => at % 2 === 0).subarray(0, 120));
    expect(found(400)).toHaveLength(count);
  });

  it("finds nothing where nothing is likely, or where there is no region", () => {
    const background = floats([0.05, 0.04, 0.91]);
    const size = { height, width };
    expect(detectionsOf(floats([1, 1, 9, 9]), background, new Float32Array(8), size).scores).toHaveLength(0);
    expect(detectionsOf(floats([]), floats([]), floats([]), size).scores).toHaveLength(0);
  });

  it("are rescaled to the original image, and those that vanish there are dropped", () => {
    const found = {
      boxes: floats([10, 10, 20, 30, 50, 5, 60, 10]),
      scores: floats([0.9, 0.5]),
      classes: Int32Array.of(1, 2),
    };
    const original = rescaleDetections(found, { height: 60, width: 50 }, { height: 30, width: 100 });
    expect(original).toEqual({ boxes: floats([20, 5, 40, 15]), scores: floats([0.9]), classes: Int32Array.of(1) });
  });
});
