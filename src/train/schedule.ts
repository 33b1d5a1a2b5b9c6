import { InputError } from "../errors";

/** How the learning rate changes over a training. */
export type Schedule =
  /** `over`: the epochs of the whole cosine, where the training is only its beginning. @default those of the training */
  | { readonly kind: "cosine"; readonly over?: number | undefined }
  | { readonly kind: "step"; readonly milestones: readonly number[]; readonly factor: number }
  /** `warmup`: the epochs in which the rate rises. */
  | { readonly kind: "warmup-cosine"; readonly warmup: number };

/** Where in a training a rate is wanted. */
export interface ScheduleMoment {
  /** The rate that the schedule multiplies. */
  readonly baseRate: number;
  /** Epochs done, with the done part of the current one: 1.5 in the middle of the second. */
  readonly epoch: number;
  /** Length of the training. */
  readonly epochs: number;
}

/**
 * Learning rate of a step.
 *
 * Once an epoch, as MoCo's official code sets it, without warm-up: "cosine" is 0.5 (1 + cos(pi epoch / epochs)), MoCo v2;
 * "step" multiplies by `factor` from each milestone on, MoCo v1 (0.1 at epochs 120 and 160 of 200).
 *
 * At each step, as SimCLR's official code sets it: "warmup-cosine" rises linearly from 0 (the first step does not move the
 * weights), then follows half a cosine over what is left.
 */
export function learningRateAt(schedule: Schedule, { baseRate, epoch, epochs }: ScheduleMoment): number {
  const whole = Math.floor(epoch);
  switch (schedule.kind) {
    case "cosine":
      return baseRate * halfCosine(whole / (schedule.over ?? epochs));
    case "step":
      return baseRate * schedule.factor ** schedule.milestones.filter((milestone) => whole >= milestone).length;
    case "warmup-cosine": {
      const { warmup } = schedule;
      return baseRate * (epoch < warmup ? epoch / warmup : halfCosine((epoch - warmup) / (epochs - warmup)));
    }
  }
}

/**
 * Checks that a schedule fits the length of a training.
 *
 * @throws InputError if a cosine ends before the training, or a warm-up does not
 */
export function assertScheduleFits(schedule: Schedule, epochs: number): void {
  if (schedule.kind === "cosine" && schedule.over !== undefined && schedule.over < epochs) {
    throw new InputError(
      `Cannot follow the cosine: schedule.over must be at least the ${epochs} epochs of the training, ` +
        `current value is ${schedule.over}`,
    );
  }
  if (schedule.kind === "warmup-cosine" && schedule.warmup >= epochs) {
    throw new InputError(
      `Cannot warm up: schedule.warmup must be below the ${epochs} epochs of the training, ` +
        `current value is ${schedule.warmup}`,
    );
  }
}

/** From 1 to 0 as `share` goes from 0 to 1. */
function halfCosine(share: number): number {
  return 0.5 * (1 + Math.cos(Math.PI * share));
}
