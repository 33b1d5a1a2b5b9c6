import { InputError } from "../engine/errors";
import type { MeasuredStep } from "./measure-step";
import { picturesInMemory } from "./measured-training";
import type { PlannedTraining } from "./planned-training";
import { planOf } from "./training-plan";

/** What a whole training would cost on the machine that its step was measured on. */
export interface TrainingCost {
  readonly measured: readonly MeasuredStep[];
  /** Whether the recipe's own batch is none of the measured, so that the figures are read off a line. */
  readonly extrapolated: boolean;
  /** At the recipe's batch. */
  readonly secondsAStep: number;
  /** Of all iterations; reading files, precise BN and evaluation are not in it. */
  readonly seconds: number;
  /** Peak of the process at the recipe's batch; the memory of a GPU is not in it. */
  readonly peakBytes: number;
}

/**
 * The cost of a whole training from its step at one or two batches: as measured where the recipe's batch was, else on the line
 * through both. Time follows the batch, memory what is in it at a time (see {@link picturesInMemory}).
 *
 * What grows with the square of the batch is not on the line: SimCLR's similarities, 0.3 GB at 4096.
 *
 * @param measured - at `withBatch` of the training
 * @throws InputError if there is no such line: one batch only, or the larger did not take more
 */
export function costOf(training: PlannedTraining, measured: readonly MeasuredStep[]): TrainingCost {
  const { batchSize } = training.recipe;
  const own = measured.find((step) => step.batchSize === batchSize);
  const read = (size: number, value: (step: MeasuredStep) => number) =>
    own
      ? value(own)
      : valueAt(
          size,
          measured.map((step) => [step.batchSize, value(step)]),
        );
  const secondsAStep = read(batchSize, (step) => step.secondsAStep);
  return {
    measured,
    extrapolated: own === undefined,
    secondsAStep,
    seconds: secondsAStep * planOf(training).iterations,
    peakBytes: read(picturesInMemory(training), (step) => step.peakBytes),
  };
}

/**
 * The value at x of the rising line through two points.
 *
 * @throws InputError if there are not two, or the line does not rise
 */
export function valueAt(x: number, points: readonly (readonly [x: number, y: number])[]): number {
  const [first, second] = points;
  if (first === undefined || second === undefined || first[0] === second[0]) {
    throw new InputError(
      `Cannot extrapolate to a batch of ${x}: two batches must be measured, current count is ${points.length}`,
    );
  }
  const slope = (second[1] - first[1]) / (second[0] - first[0]);
  if (!(slope > 0)) {
    throw new InputError(
      `Cannot extrapolate to a batch of ${x}: the larger batch must take more, current values are ` +
        `${points.map(([batch, value]) => `${value} at ${batch}`).join(" and ")}; measure larger batches`,
    );
  }
  return first[1] + slope * (x - first[0]);
}
