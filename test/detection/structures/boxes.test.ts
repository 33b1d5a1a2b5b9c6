import { describe, expect, it } from "vitest";
import { decodeBoxes, encodeBoxes, type BoxCodingWeights } from "../../../src/detection/structures/box-coding";
import { pairwiseIou } from "../../../src/detection/structures/box-iou";
import { clipBoxes, nonEmptyBoxes, selectBoxes } from "../../../src/detection/structures/boxes";
import { nonMaxSuppression, rankByScore } from "../../../src/detection/structures/nms";
import { relativeError } from "../../engine/double-precision";
import fixture from "../fixtures/boxes.json";

const floats = (values: readonly number[]) => Float32Array.from(values);

describe("pairwiseIou", () => {
  it("is torchvision's, for boxes that overlap, coincide and touch", () => {
    const { first, second, iou } = fixture.overlap;
    const ours = pairwiseIou(floats(first), floats(second));
    expect(relativeError(ours, iou)).toBeLessThan(1e-6);
    expect(ours[2 * 20 + 3]).toBe(1);
    expect(ours[1 * 20 + 4]).toBe(0);
  });

  it("is 0 with a box without area", () => {
    expect([...pairwiseIou(floats([5, 5, 5, 5]), floats([0, 0, 10, 10, 5, 5, 5, 5]))]).toEqual([0, 0]);
  });
});

describe.each(fixture.coding)("box coding with weights $weights", ({ weights, sources, targets, ...expected }) => {
  const coding = weights as unknown as BoxCodingWeights;

  it("encodes as torchvision's BoxCoder", () => {
    expect(relativeError(encodeBoxes(floats(sources), floats(targets), coding), expected.encoded)).toBeLessThan(1e-6);
  });

  it("decodes several classes a box as torchvision's BoxCoder, and limits growth", () => {
    const decoded = decodeBoxes(floats(expected.deltas), floats(sources), coding);
    expect(relativeError(decoded, expected.decoded)).toBeLessThan(1e-6);
  });

  it("decodes what it encoded", () => {
    const deltas = encodeBoxes(floats(sources), floats(targets), coding);
    expect(relativeError(decodeBoxes(deltas, floats(sources), coding), targets)).toBeLessThan(1e-6);
  });
});

describe("nonMaxSuppression", () => {
  it.each(fixture.suppression)(
    "keeps torchvision's boxes in its order, with equal scores: threshold $threshold",
    ({ threshold, boxes, scores, groups, kept }) => {
      const options = { threshold, groups: Int32Array.from(groups) };
      const ours = nonMaxSuppression(floats(boxes), floats(scores), { ...options, limit: Infinity });
      expect([...ours]).toEqual(kept);
      const limited = nonMaxSuppression(floats(boxes), floats(scores), { ...options, limit: 7 });
      expect([...limited]).toEqual(kept.slice(0, 7));
    },
  );

  it("keeps a box whose overlap is exactly the threshold", () => {
    const boxes = floats([0, 0, 4, 4, 0, 0, 4, 2]); // IoU 0.5
    const keep = (threshold: number) => nonMaxSuppression(boxes, floats([1, 0.5]), { threshold, limit: 10 }).length;
    expect(keep(0.5)).toBe(2);
    expect(keep(0.49)).toBe(1);
  });

  it("keeps nothing of nothing", () => {
    expect(nonMaxSuppression(floats([]), floats([]), { threshold: 0.5, limit: 10 })).toHaveLength(0);
  });
});

describe("rankByScore", () => {
  it("orders from high to low, the first of equals first", () => {
    expect([...rankByScore(floats([1, 3, 2, 3, -1]), 4)]).toEqual([1, 3, 2, 0]);
  });
});

describe("boxes", () => {
  it("are clipped to the image; those outside are left without area", () => {
    const boxes = floats([-5, 2, 30, 50, 40, 10, 60, 20, 1, 1, 2, 3]);
    const clipped = clipBoxes(boxes, { height: 40, width: 20 });
    expect([...clipped]).toEqual([0, 2, 20, 40, 20, 10, 20, 20, 1, 1, 2, 3]);
    expect([...nonEmptyBoxes(clipped)]).toEqual([0, 2]);
    expect([...selectBoxes(clipped, [2, 0])]).toEqual([1, 1, 2, 3, 0, 2, 20, 40]);
  });
});
