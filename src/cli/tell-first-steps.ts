import { describeFirstSteps, recordFirstSteps, type FirstSteps } from "../runs/first-steps";

/** Says how the first steps of a schedule went, where `--steps` ended it, and records them where that is asked for. */
export function tellFirstSteps(
  steps: FirstSteps,
  checkpoint: string,
  { json, record }: { readonly json?: boolean; readonly record?: boolean },
): void {
  const { losses, totalSteps } = steps;
  const { step } = losses.at(-1)!;
  const file = record ? recordFirstSteps(steps) : undefined;
  if (json) {
    console.log(JSON.stringify({ checkpoint, step, ...steps }, null, 2));
    return;
  }
  console.log(losses.map((one) => `step ${one.step}: loss ${one.loss.toFixed(6)}`).join("\n"));
  console.log(
    `Stopped after ${step} of ${totalSteps} steps, as asked: ${describeFirstSteps(steps)}. ` +
      `The same command without --steps goes on.\n${checkpoint}`,
  );
  if (file !== undefined) console.log(`Recorded ${file}`);
}
