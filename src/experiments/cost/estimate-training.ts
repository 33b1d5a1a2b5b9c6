import { InputError } from "../../errors";
import type { MeasuredStep } from "./measure-step";
import { imagesInMemory } from "./measured-training";
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
 * through both. From one batch, time is in proportion to it, and so is the memory above what there is before the first step.
 * Time follows the batch, memory what is in it at a time (see {@link imagesInMemory}).
 *
 * What grows with the square of the batch is not on the line: SimCLR's similarities, 0.3 GB at 4096.
 *
 * @param measured - at `withBatch` of the training, at least one
 * @throws InputError if the larger of two batches did not take more
 */
export function costOf(training: PlannedTraining, measured: readonly MeasuredStep[]): TrainingCost {
  const { batchSize } = training.recipe;
  const own = measured.find((step) => step.batchSize === batchSize);
  const secondsAStep = own?.secondsAStep ?? valueAt(batchSize, timePoints(measured));
  return {
    measured,
    extrapolated: own === undefined,
    secondsAStep,
    seconds: secondsAStep * planOf(training).iterations,
    peakBytes: own?.peakBytes ?? peakAt(imagesInMemory(training), measured),
  };
}

/** A batch, and what was measured at it. */
type Point = readonly [batch: number, value: number];

function timePoints([first, second]: readonly MeasuredStep[]): readonly [Point, Point] {
  const at = (step: MeasuredStep): Point => [step.batchSize, step.secondsAStep];
  return second === undefined ? [[0, 0], at(first!)] : [at(first!), at(second)];
}

function peakAt(batch: number, [first, second]: readonly MeasuredStep[]): number {
  const at = (step: MeasuredStep): Point => [step.batchSize, step.peakBytes];
  if (second !== undefined) return valueAt(batch, [at(first!), at(second)]);
  const { startBytes, peakBytes } = first!;
  // A small step may fit into what the process had before it.
  return peakBytes <= startBytes ? startBytes : valueAt(batch, [[0, startBytes], at(first!)]);
}

/**
 * The value at a batch of the rising line through two points.
 *
 * @throws InputError if the line does not rise
 */
export function valueAt(batch: number, [first, second]: readonly [Point, Point]): number {
  const slope = (second[1] - first[1]) / (second[0] - first[0]);
  if (!(slope > 0)) {
    throw new InputError(
      `Cannot extrapolate to a batch of ${batch}: the larger batch must take more, current values are ` +
        `${first[1]} at ${first[0]} and ${second[1]} at ${second[0]}; measure larger batches`,
    );
  }
  return first[1] + slope * (batch - first[0]);
}
