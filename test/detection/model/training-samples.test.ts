import { describe, expect, it } from "vitest";
import { levelAnchors } from "../../../src/detection/model/anchors";
import { decodeBoxes, roiBoxWeights, rpnBoxWeights } from "../../../src/detection/structures/box-coding";
import { pairwiseIou } from "../../../src/detection/structures/box-iou";
import { selectBoxes } from "../../../src/detection/structures/boxes";
import {
  groundTruthOf,
  sampleAnchors,
  sampleRois,
  type GroundTruth,
} from "../../../src/detection/model/training-samples";
import { randomStream } from "../../../src/engine/random";
import { relativeError } from "../../engine/double-precision";

const random = () => randomStream(1, "test");
const truth: GroundTruth = {
  boxes: Float32Array.of(10, 10, 42, 44, 60, 20, 90, 60),
  classes: Int32Array.of(4, 1),
};
const nothing: GroundTruth = { boxes: new Float32Array(0), classes: new Int32Array(0) };
const anchors = levelAnchors({ size: { height: 5, width: 6 }, stride: 16, anchorSizes: [16, 32] }, [0.5, 1, 2]);

describe("groundTruthOf", () => {
  it("keeps difficult objects and leaves out crowds and boxes without area", () => {
    const common = { category: 3, area: 1, difficult: false, crowd: false };
    const { boxes, classes } = groundTruthOf([
      { ...common, box: [1, 2, 3, 4] },
      { ...common, box: [5, 6, 7, 8], difficult: true, category: 0 },
      { ...common, box: [0, 0, 9, 9], crowd: true },
      { ...common, box: [4, 4, 4, 9] },
    ]);
    expect([...boxes]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect([...classes]).toEqual([3, 0]);
  });
});

describe("sampleAnchors", () => {
  it("gives objects first, with deltas that lead to the ground truth", () => {
    const { indices, labels, deltas } = sampleAnchors(anchors, truth, 32, random());
    const objects = deltas.length / 4;
    expect(indices).toHaveLength(32);
    expect(objects).toBeGreaterThan(0);
    expect([...labels]).toEqual([...Array<number>(objects).fill(1), ...Array<number>(32 - objects).fill(0)]);
    const chosen = selectBoxes(anchors, indices);
    const led = decodeBoxes(deltas, chosen.subarray(0, 4 * objects), rpnBoxWeights);
    for (let index = 0; index < objects; index++) {
      const box = led.subarray(4 * index, 4 * index + 4);
      const errors = [0, 1].map((row) => relativeError(box, truth.boxes.subarray(4 * row, 4 * row + 4)));
      expect(Math.min(...errors)).toBeLessThan(1e-6);
    }
    const overlaps = pairwiseIou(truth.boxes, chosen.subarray(4 * objects));
    expect(Math.max(...overlaps)).toBeLessThan(0.3);
  });

  it("has background only where there is no object", () => {
    const { indices, labels, deltas } = sampleAnchors(anchors, nothing, 32, random());
    expect(indices).toHaveLength(32);
    expect(Math.max(...labels)).toBe(0);
    expect(deltas).toHaveLength(0);
  });
});

describe("sampleRois", () => {
  it("puts the ground truth among the proposals, at most a quarter objects, the rest class K", () => {
    const proposals = Float32Array.of(...truth.boxes, ...truth.boxes, ...truth.boxes, ...anchors);
    const sample = sampleRois(proposals, truth, 5, 20, random());
    expect(sample.boxes).toHaveLength(80);
    expect(sample.classes.filter((label) => label < 5)).toHaveLength(5);
    expect(sample.classes.subarray(5).every((label) => label === 5)).toBe(true);
    sample.groundTruth.forEach((index, position) => {
      expect(sample.classes[position]).toBe(truth.classes[index]);
      const box = sample.boxes.subarray(4 * position, 4 * position + 4);
      const led = decodeBoxes(sample.deltas.subarray(4 * position, 4 * position + 4), box, roiBoxWeights);
      expect(relativeError(led, truth.boxes.subarray(4 * index, 4 * index + 4))).toBeLessThan(1e-6);
    });
  });

  it("finds objects even where no proposal is near one", () => {
    const far = Float32Array.of(0, 80, 8, 88, 4, 80, 12, 90);
    const { classes, boxes, deltas } = sampleRois(far, truth, 5, 16, random());
    expect([...classes].sort()).toEqual([1, 4, 5, 5]);
    expect([...deltas]).toEqual(Array(8).fill(0));
    expect(boxes).toHaveLength(16);
  });

  it("takes every proposal for background where there is no object", () => {
    const { classes, deltas } = sampleRois(anchors, nothing, 5, 16, random());
    expect([...classes]).toEqual(Array(16).fill(5));
    expect(deltas).toHaveLength(0);
  });
});
