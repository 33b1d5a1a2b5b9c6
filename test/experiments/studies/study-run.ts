import type { StudyRun } from "../../../src/experiments/studies/study";

/** A run with constant values: 10 points of the curve, one every 10 steps, and one reading of the monitor. */
export function studyRun(values: { loss?: number; accuracy?: number; knn?: number; diverged?: string }): StudyRun {
  const { loss = 1, accuracy = 0.5, knn, diverged } = values;
  return {
    curve: Array.from({ length: 10 }, (_, index) => ({ step: 10 * (index + 1), epoch: 0, loss, accuracy })),
    monitor: knn === undefined ? [] : [{ step: 100, knn }],
    diverged,
  };
}
