/**
 * Measures the step of the training that its parent sends, and sends back a {@link StepReply}. A process of its own, since peak
 * memory belongs to a process, and one that takes too much of it is killed.
 */
import { writeFileSync } from "node:fs";
import { machineFacts } from "../../engine/device";
import { measureStep, type MeasuredStep } from "./measure-step";
import type { PlannedTraining } from "./planned-training";

/** What became of a measurement. */
export type StepReply =
  | { readonly step: MeasuredStep; /** "CPU", or the name of the GPU. */ readonly device: string }
  | { readonly failure: string };

async function reply(training: PlannedTraining): Promise<StepReply> {
  try {
    return { step: await measureStep(training), device: machineFacts().device };
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) };
  }
}

try {
  // Where memory runs out, Linux then ends this process and not another.
  writeFileSync("/proc/self/oom_score_adj", "1000");
} catch {
  // Another system, or one that does not let it.
}
process.once("disconnect", () => process.exit());
process.once("message", (training) => {
  void reply(training as PlannedTraining).then((answer) => process.send!(answer, () => process.disconnect()));
});
