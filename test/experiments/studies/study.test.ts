import { describe, expect, it } from "vitest";
import { differenceError, lastFifth, signedPoints, type StudyRun } from "../../../src/experiments/studies/study";

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
