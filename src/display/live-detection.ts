import type { DetectorProgress } from "../detection/train/train-detector";
import { liveCurves } from "./live-curve";

/**
 * Draws the curves of detectors' trainings while they run: the losses of the RPN and of the heads, and AP50 on validation
 * where it was read.
 *
 * @returns to be called after each step with a title; a new title starts new curves
 */
export function liveDetection(): (title: string, progress: DetectorProgress) => void {
  return liveCurves(
    ({ losses }) => ({
      "RPN loss": losses.objectness + losses.rpnBox,
      "box head loss": losses.classification + losses.box,
      ...(losses.mask !== undefined && { "mask head loss": losses.mask }),
    }),
    ({ history }) =>
      history.validations.map(({ ap50 }): Readonly<Record<string, number>> =>
        ap50 === null ? {} : { "AP50 on validation (%)": 100 * ap50 },
      ),
  );
}
