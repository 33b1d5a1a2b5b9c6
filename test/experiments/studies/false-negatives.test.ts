import { describe, expect, it } from "vitest";
import type { ImageSet } from "../../../src/data/image-set";
import {
  falseNegativeFigure,
  falseNegativeRows,
  falseNegatives,
} from "../../../src/experiments/studies/false-negatives";

/** Sixteen images of one pixel in two classes, a quarter and three quarters; the first four are two pairs of twins. */
const set: ImageSet = {
  name: "made/train",
  size: 1,
  pixels: new Uint8Array(16 * 3),
  labels: Int32Array.from({ length: 16 }, (_, index) => (index < 4 ? 0 : 1)),
  classes: ["first", "second"],
  groups: Int32Array.from({ length: 16 }, (_, index) => index),
  twins: Int32Array.from({ length: 16 }, (_, index) => [1, 0, 3, 2][index] ?? -1),
  ids: Array.from({ length: 16 }, (_, index) => String(index)),
};
const axes = { batchSize: 2, epochs: 12, seed: 5 };

describe("falseNegatives", () => {
  it("marks a queue above the number of training images, and no other", () => {
    const { rows } = falseNegatives(set, { ...axes, queueSizes: [8, 16, 18] });
    expect(rows.map(({ beyondPaper }) => beyondPaper)).toEqual([false, false, true]);
  });

  it("finds one key of the query's image for each whole epoch in the queue, and no more than one for each begun", () => {
    const { rows } = falseNegatives(set, { ...axes, queueSizes: [16, 32, 48] });
    rows.forEach(({ own, queueSize }, wholeEpochs) => {
      expect(own * queueSize).toBeGreaterThan(wholeEpochs);
      expect(own * queueSize).toBeLessThan(wholeEpochs + 1);
    });
  });

  it("gives the share of the class at random, and says it beside the shares found", () => {
    const { rows, classAtRandom, finding } = falseNegatives(set, { ...axes, queueSizes: [16, 32] });
    const [within, beyond] = rows.map(({ own, queueSize }) => (own * queueSize).toFixed(2));
    expect(classAtRandom).toBeCloseTo(10 / 16, 12);
    expect(finding).toContain(
      `A query meets ${within} keys of its own image among K = 16 and ${beyond} keys of its own image among K = 32 ` +
        "(beyond the paper's regime: there are 16 images), ",
    );
    expect(finding).toContain("against 62.50 % among keys drawn at random.");
  });

  it("gives a row and a point for each K", () => {
    const result = falseNegatives(set, { ...axes, queueSizes: [8, 32] });
    expect(falseNegativeRows(result).map((row) => row["regime"])).toEqual([
      "K below N, as in the paper",
      "beyond the paper's regime",
    ]);
    const { data } = falseNegativeFigure(result);
    expect(data.map(({ name }) => name)).toEqual(["own image", "its twin"]);
    expect(data[0]!.x).toEqual(["8", "32 (beyond)"]);
    expect(data[0]!.y[1]).toBeCloseTo(result.rows[1]!.own * 32, 12);
  });
});
