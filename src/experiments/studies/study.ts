import { signed } from "../../display/signed";
import { meanOf, standardErrorOf, standardErrorOfShare } from "../../statistics/mean";
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

/** Gives the runs of a cell that differ in their seed: one at least. */
export type FindRuns = (cell: StudyCell) => Promise<readonly StudyRun[]>;

/** kNN accuracy on validation when training ended, and when it has never been read, undefined. */
export function finalKnn({ monitor }: StudyRun): number | undefined {
  return monitor.at(-1)?.knn;
}

/**
 * Mean of a curve over the last fifth of training.
 *
 * @returns undefined for a run that diverged before its first point
 */
export function lastFifth(run: StudyRun, quantity: "loss" | "accuracy"): number | undefined {
  const points = pointsOfLastFifth(run);
  return points.length === 0 ? undefined : meanOf(points.map((point) => point[quantity]));
}

/** A mean with its standard error; undefined where there is one value alone. */
export interface Estimate {
  readonly mean: number;
  readonly error: number | undefined;
}

/**
 * How much higher the pretext accuracy of one run is than that of another over the last fifth of training, step by step: runs of
 * one seed see the same images at each. The error is by the spread over the points of the curves.
 *
 * @returns undefined where the curves have no points in common
 */
export function differenceInLastFifth(of: StudyRun, from: StudyRun): Estimate | undefined {
  const others = new Map(pointsOfLastFifth(from).map(({ step, accuracy }) => [step, accuracy]));
  const differences = pointsOfLastFifth(of).flatMap(({ step, accuracy }) => {
    const other = others.get(step);
    return other === undefined ? [] : [accuracy - other];
  });
  if (differences.length === 0) return undefined;
  return { mean: meanOf(differences), error: differences.length < 2 ? undefined : standardErrorOf(differences) };
}

function pointsOfLastFifth({ curve }: StudyRun): StudyRun["curve"] {
  const steps = curve.at(-1)?.step ?? 0;
  // A point is the mean over the steps since the point before: one that began earlier is left out, but not the last.
  const points = curve.filter((_, index) => (curve[index - 1]?.step ?? 0) >= 0.8 * steps);
  return points.length > 0 ? points : curve.slice(-1);
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

/**
 * What the accuracies of a study's table rest on: one run each, so that there is no interval over seeds.
 *
 * @param images - of the validation part
 */
export function oneSeedNote(runs: readonly StudyRun[], images: number): string {
  const errors = runs.flatMap((run) => {
    const knn = finalKnn(run);
    return knn === undefined ? [] : [standardErrorOfShare(knn, images)];
  });
  const sampling =
    errors.length === 0
      ? ""
      : ` The choice of the ${images} validation images alone gives a kNN accuracy a standard error of up to ${(100 * Math.max(...errors)).toFixed(1)} points.`;
  return `One seed per training, so there is no interval over seeds.${sampling}`;
}
