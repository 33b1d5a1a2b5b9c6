import { describe, expect, it } from "vitest";
import { cellAnchors, levelAnchors } from "../../../src/detection/model/anchors";
import { relativeError } from "../../engine/double-precision";
import fixture from "../fixtures/anchors.json";

const ratios = [0.5, 1, 2];

describe("levelAnchors", () => {
  it.each(fixture.levels)(
    "are detectron2's, in its order: sizes $sizes, stride $stride",
    ({ height, width, stride, sizes, anchors }) => {
      const ours = levelAnchors({ size: { height, width }, stride, anchorSizes: sizes }, ratios);
      expect(relativeError(ours, anchors)).toBeLessThan(1e-6);
    },
  );

  it("stand on multiples of the stride, row by row", () => {
    const anchors = levelAnchors({ size: { height: 2, width: 3 }, stride: 8, anchorSizes: [4] }, [1]);
    const centers = Array.from({ length: 6 }, (_, index) => [anchors[4 * index]! + 2, anchors[4 * index + 1]! + 2]);
    expect(centers).toEqual([
      [0, 0],
      [8, 0],
      [16, 0],
      [0, 8],
      [8, 8],
      [16, 8],
    ]);
  });
});

describe("cellAnchors", () => {
  it("of one size have one area, and the aspect ratio is height over width", () => {
    const anchors = cellAnchors([32], ratios);
    ratios.forEach((ratio, index) => {
      const [x1, y1, x2, y2] = anchors.subarray(4 * index) as unknown as [number, number, number, number];
      expect((x2 - x1) * (y2 - y1)).toBeCloseTo(32 ** 2, 3);
      expect((y2 - y1) / (x2 - x1)).toBeCloseTo(ratio, 5);
    });
  });
});
