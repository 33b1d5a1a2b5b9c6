import type { TrainingProgress } from "../train/pretrain";
import { liveCurve, type LiveCurve } from "./live-curve";

/**
 * Draws the curves of trainings while they run: loss, pretext accuracy, and kNN on validation where it was read.
 *
 * @returns to be called after each step with a title; a new title starts new curves
 */
export function liveTraining(): (title: string, progress: TrainingProgress) => void {
  let current: { readonly title: string; readonly curve: LiveCurve; monitored: number } | undefined;
  return (title, { step, totalSteps, loss, accuracy, history }) => {
    if (current?.title !== title) current = { title, curve: liveCurve(title), monitored: 0 };
    const reading = history.monitor.length > current.monitored ? history.monitor.at(-1) : undefined;
    current.monitored = history.monitor.length;
    current.curve.add({
      step,
      values: {
        loss,
        "pretext accuracy (%)": 100 * accuracy,
        ...(reading && { "kNN on validation (%)": 100 * reading.knn }),
      },
    });
    if (step === totalSteps) current.curve.finish();
  };
}
