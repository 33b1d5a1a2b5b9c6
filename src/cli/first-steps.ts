import { InputError } from "../errors";
import { describeFirstSteps, firstStepsOf, recordFirstSteps, type TrainedSteps } from "../runs/first-steps";
import { readWeights } from "../weights/weights-file";

/** The flags of a command that can take the first steps of a schedule alone. */
export interface StepsFlags {
  /** Steps after which it stops, of the whole schedule. */
  readonly steps?: number;
  readonly record?: boolean;
  readonly json?: boolean;
}

/**
 * After how many steps a training is to stop; undefined where it goes to the end.
 *
 * @throws InputError if all steps were to be recorded as the first
 */
export function lastStepOf({ steps, record }: StepsFlags, totalSteps: number): number | undefined {
  if (steps === undefined || steps < totalSteps) return steps;
  if (!record) return undefined;
  throw new InputError(
    `Cannot record the first steps: the whole schedule has ${totalSteps}, current value of --steps is ${steps}; choose fewer`,
  );
}

/**
 * Says how the first steps of a schedule went, where `--steps` ended it, and records them where that is asked for.
 *
 * @param trained - without losses where the checkpoint had as many steps before
 * @throws InputError if there are none to record
 */
export function tellFirstSteps(trained: TrainedSteps, checkpoint: string, { steps, json, record }: StepsFlags): void {
  const { losses, totalSteps } = trained;
  if (losses.length === 0 && record) {
    throw new InputError("Cannot record the first steps: they were taken before. Begin anew with --fresh");
  }
  const taken = firstStepsOf(trained);
  const file = record ? recordFirstSteps(taken) : undefined;
  // A checkpoint of a detector as of an encoder counts its steps.
  const step = losses.at(-1)?.step ?? Number(readWeights(checkpoint).metadata["step"]);
  if (json) {
    console.log(JSON.stringify({ checkpoint, step, ...taken }, null, 2));
    return;
  }
  if (losses.length > 0) console.log(losses.map((one) => `step ${one.step}: loss ${one.loss.toFixed(6)}`).join("\n"));
  const done =
    losses.length > 0
      ? `Stopped after ${step} of ${totalSteps} steps, as asked: ${describeFirstSteps(taken)}`
      : `Nothing to do: ${step} of ${totalSteps} steps are taken, --steps asks for ${steps}`;
  const further = step < totalSteps ? "The same command without --steps goes on" : "The training has ended";
  console.log(`${done}. ${further}.\n${checkpoint}`);
  if (file !== undefined) console.log(`Recorded ${file}`);
}
