import { describe, expect, it } from "vitest";
import { pairwiseIou } from "../../../src/detection/structures/box-iou";
import { ignored, matchBoxes, negative, positive, sampleBalanced } from "../../../src/detection/model/matching";
import { randomStream } from "../../../src/engine/random";
import fixture from "../fixtures/matching.json";

const random = (trial = 0) => randomStream(1, "test", trial);

describe("matchBoxes", () => {
  it.each(fixture.cases)(
    "labels and matches as torchvision's Matcher: IoU $low to $high, low-quality matches $allowLowQuality",
    ({ groundTruth, boxes, labels, best, ...rule }) => {
      const iou = pairwiseIou(Float32Array.from(groundTruth), Float32Array.from(boxes));
      const matches = matchBoxes(iou, labels.length, rule);
      expect([...matches.labels]).toEqual(labels);
      expect([...matches.groundTruth]).toEqual(best);
    },
  );

  it("takes every box for background where there is no ground truth", () => {
    const matches = matchBoxes(new Float32Array(0), 5, { low: 0.3, high: 0.7, allowLowQuality: true });
    expect([...matches.labels]).toEqual(Array(5).fill(negative));
    expect([...matches.groundTruth]).toEqual(Array(5).fill(0));
  });

  it("leaves a low-quality match with the ground truth that it overlaps most", () => {
    // The second ground truth's best box is the first's best as well.
    const iou = Float32Array.from([0.6, 0.1, 0.2, 0.0]);
    const matches = matchBoxes(iou, 2, { low: 0.3, high: 0.7, allowLowQuality: true });
    expect([...matches.labels]).toEqual([positive, negative]);
    expect([...matches.groundTruth]).toEqual([0, 0]);
  });

  it("counts an IoU at a threshold to the side above it", () => {
    const iou = Float32Array.from([0.25, 0.75, 0.5]);
    const matches = matchBoxes(iou, 3, { low: 0.25, high: 0.75, allowLowQuality: false });
    expect([...matches.labels]).toEqual([ignored, positive, ignored]);
  });
});

describe("sampleBalanced", () => {
  it.each(fixture.samples)(
    "draws as many as torchvision: $count of $positives objects and $negatives others, share $fraction",
    ({ positives, negatives, count, fraction, chosen }) => {
      const labels = new Int8Array(positives + negatives + 40).fill(positive);
      labels.fill(negative, positives).fill(ignored, positives + negatives);
      const sample = sampleBalanced(labels, count, fraction, random());
      expect([sample.positives.length, sample.negatives.length]).toEqual(chosen);
      expect(sample.positives.every((position) => labels[position] === positive)).toBe(true);
      expect(sample.negatives.every((position) => labels[position] === negative)).toBe(true);
      expect(new Set([...sample.positives, ...sample.negatives]).size).toBe(chosen[0]! + chosen[1]!);
    },
  );

  it("draws each candidate equally often, and the same for the same random numbers", () => {
    const labels = Int8Array.from([1, 0, 1, 1, 0, 0, 1, 0, -1, 0]);
    const counts = new Map<number, number>();
    const trials = 2000;
    for (let trial = 0; trial < trials; trial++) {
      const { positives, negatives } = sampleBalanced(labels, 4, 0.5, random(trial));
      for (const position of [...positives, ...negatives]) counts.set(position, (counts.get(position) ?? 0) + 1);
    }
    // 2 of 4 objects and 2 of 5 others; 4 standard deviations of a binomial count are at most 90.
    labels.forEach((label, position) => {
      const expected = label === positive ? trials / 2 : label === negative ? (trials * 2) / 5 : 0;
      expect(Math.abs((counts.get(position) ?? 0) - expected)).toBeLessThan(90);
    });
    expect(sampleBalanced(labels, 4, 0.5, random(7))).toEqual(sampleBalanced(labels, 4, 0.5, random(7)));
  });
});
