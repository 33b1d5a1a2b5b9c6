/** Share of the rate at the first iteration, and by what each milestone multiplies it: detectron2's defaults. */
const warmupFactor = 1 / 1000;
const gamma = 0.1;

/** How the learning rate changes over the training of a detector; all in iterations. */
export interface DetectionSchedule {
  readonly iterations: number;
  /** WARMUP_ITERS of detectron2. */
  readonly warmup: number;
  /** STEPS of detectron2: from each on, the rate is a tenth. */
  readonly milestones: readonly number[];
}

/**
 * Learning rate of an iteration, as detectron2 sets it: the rate of the milestones, multiplied by what rises linearly from
 * 1/1000 to 1 over the warm-up.
 *
 * @param iteration - from 0
 */
export function detectionRateAt(
  { warmup, milestones }: DetectionSchedule,
  baseRate: number,
  iteration: number,
): number {
  const done = Math.min(iteration / Math.max(warmup, 1), 1);
  const rising = iteration < warmup ? warmupFactor * (1 - done) + done : 1;
  return baseRate * rising * gamma ** milestones.filter((milestone) => iteration >= milestone).length;
}
