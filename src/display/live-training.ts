import type { TrainingProgress } from "../train/pretrain";
import { liveCurves } from "./live-curve";

/**
 * Draws the curves of trainings while they run: loss, pretext accuracy, and kNN on validation where it was read.
 *
 * @returns to be called after each step with a title; a new title starts new curves
 */
export function liveTraining(): (title: string, progress: TrainingProgress) => void {
  return liveCurves(
    ({ loss, accuracy }) => ({ loss, "pretext accuracy (%)": 100 * accuracy }),
    ({ history }) => history.monitor.map(({ knn }) => ({ "kNN on validation (%)": 100 * knn })),
  );
}
