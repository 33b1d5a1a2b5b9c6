import type { DetectorProgress } from "../detection/train-detector";
import { liveCurve, type LiveCurve } from "./live-curve";

/**
 * Draws the curves of detectors' trainings while they run: the losses of the RPN and of the box head, and AP50 on validation
 * where it was read.
 *
 * @returns to be called after each step with a title; a new title starts new curves
 */
export function liveDetection(): (title: string, progress: DetectorProgress) => void {
  let current: { readonly title: string; readonly curve: LiveCurve; read: number } | undefined;
  return (title, { step, totalSteps, losses, history }) => {
    if (current?.title !== title) current = { title, curve: liveCurve(title), read: 0 };
    const reading = history.readings.length > current.read ? history.readings.at(-1) : undefined;
    current.read = history.readings.length;
    current.curve.add({
      step,
      values: {
        "RPN loss": losses.objectness + losses.rpnBox,
        "box head loss": losses.classification + losses.box,
        ...(reading?.ap50 != null && { "AP50 on validation (%)": 100 * reading.ap50 }),
      },
    });
    if (step === totalSteps) current.curve.finish();
  };
}
