import { signed } from "../../display/signed";
import type { RunRecord } from "../../runs/run-record";
import type { Recipe } from "../../train/recipe";

/** One training of a study. */
export interface StudyCell {
  readonly label: string;
  readonly recipe: Recipe;
}

/** What the studies read of a run. */
export type StudyRun = Pick<RunRecord, "curve" | "monitor" | "diverged">;

/** Gives the run of a cell: looks it up, or trains it. */
export type FindRun = (cell: StudyCell) => Promise<StudyRun>;

/** kNN accuracy on validation when training ended, and when it has never been read, undefined. */
export function finalKnn({ monitor }: StudyRun): number | undefined {
  return monitor.at(-1)?.knn;
}

/**
 * Mean of a curve over the last fifth of training.
 *
 * @returns undefined for a run that diverged before its first point
 */
export function lastFifth({ curve }: StudyRun, quantity: "loss" | "accuracy"): number | undefined {
  const steps = curve.at(-1)?.step;
  if (steps === undefined) return undefined;
  // A point is the mean over the steps since the point before: one that began earlier is left out, but not the last.
  const points = curve.filter((_, index) => (curve[index - 1]?.step ?? 0) >= 0.8 * steps);
  return mean((points.length > 0 ? points : curve.slice(-1)).map((point) => point[quantity]));
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** A difference of two shares in points, with its sign. */
export function signedPoints(difference: number): string {
  return signed(difference, { scale: 100 });
}

/**
 * Standard error of the difference of two accuracies on the same images, taken as independent: encoders mostly agree on
 * what is hard, so the true one is smaller.
 */
export function differenceError(first: number, second: number, images: number): number {
  return Math.sqrt((first * (1 - first) + second * (1 - second)) / images);
}
