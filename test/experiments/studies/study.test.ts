import { describe, expect, it } from "vitest";
import {
  differenceError,
  differenceInLastFifth,
  lastFifth,
  oneSeedNote,
  signedPoints,
  type StudyRun,
} from "../../../src/experiments/studies/study";

function run(steps: readonly number[]): StudyRun {
  return {
    curve: steps.map((step) => ({ step, epoch: 0, loss: step, accuracy: step / 100 })),
    monitor: [],
    diverged: undefined,
  };
}

describe("lastFifth", () => {
  it("is the mean of the points that began in the last fifth", () => {
    expect(lastFifth(run([10, 20, 30, 40, 50, 60, 70, 80, 90, 100]), "loss")).toBe(95);
    expect(lastFifth(run([10, 20, 30, 40, 50, 60, 70, 80, 90, 100]), "accuracy")).toBeCloseTo(0.95, 12);
  });

  it("is the last point where that is longer than a fifth, and nothing without points", () => {
    expect(lastFifth(run([50, 100]), "loss")).toBe(100);
    expect(lastFifth(run([]), "loss")).toBeUndefined();
  });
});

describe("differenceInLastFifth", () => {
  const steps = [20, 40, 60, 80, 90, 100];
  const higher = (by: readonly number[]): StudyRun => ({
    ...run(steps),
    curve: run(steps).curve.map((point, at) => ({ ...point, accuracy: point.accuracy + (by[at] ?? 0) })),
  });

  it("pairs the points of two curves by step, with the standard error of their differences", () => {
    const { mean, error } = differenceInLastFifth(higher([9, 9, 9, 9, 0.1, 0.3]), run(steps))!;
    expect(mean).toBeCloseTo(0.2, 12);
    expect(error).toBeCloseTo(0.1, 12);
  });

  it("has no error of one point, and is nothing where the curves have none in common", () => {
    expect(differenceInLastFifth(run([50, 100]), run([50, 100]))).toEqual({ mean: 0, error: undefined });
    expect(differenceInLastFifth(run([]), run(steps))).toBeUndefined();
  });
});

describe("oneSeedNote", () => {
  it("has the largest standard error that the choice of images gives an accuracy", () => {
    const runs = [0.1, 0.5].map((knn) => ({ ...run([]), monitor: [{ step: 1, knn }] }));
    expect(oneSeedNote(runs, 100)).toContain("a standard error of up to 5.0 points");
    expect(oneSeedNote([run([])], 100)).toBe("One seed per training, so there is no interval over seeds.");
  });
});

describe("differenceError", () => {
  it("adds the variances of two binomial shares", () => {
    expect(differenceError(0.5, 0.5, 50)).toBeCloseTo(0.1, 12);
    expect(differenceError(0, 1, 50)).toBe(0);
  });
});

describe("numbers in findings", () => {
  it("are printed in signed points", () => {
    expect([signedPoints(0.0512), signedPoints(-0.0512)]).toEqual(["+5.1", "−5.1"]);
  });
});
