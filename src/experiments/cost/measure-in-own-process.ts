import { fork } from "node:child_process";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { InterruptedError } from "../../errors";
import type { PlannedTraining } from "./planned-training";
import type { StepReply } from "./step-program";

// The compiled program, also where this file runs from its source.
const program = join(__dirname, "../../../dist/experiments/cost/step-program.js");

/**
 * Measures the step of a training in a process of its own. What goes wrong there, memory that runs out included, is a reply.
 *
 * @param stop - ends the process
 * @throws InterruptedError if it was stopped
 */
export async function measureApart(training: PlannedTraining, stop: AbortSignal): Promise<StepReply> {
  if (stop.aborted) throw interrupted();
  const child = fork(program, { stdio: ["ignore", "ignore", "pipe", "ipc"] });
  const kill = () => child.kill("SIGKILL");
  stop.addEventListener("abort", kill);
  try {
    const messages = text(child.stderr!);
    const outcome = await new Promise<StepReply | { code: number | null; signal: NodeJS.Signals | null }>(
      (resolve, reject) => {
        let reply: StepReply | undefined;
        child.once("message", (message) => (reply = message as StepReply));
        child.once("error", reject);
        // Not before it is gone, with its memory: the next one wants that.
        child.once("close", (code, signal) => resolve(reply ?? { code, signal }));
        child.send(training);
      },
    );
    // A Ctrl-C reaches the process too, perhaps before it reaches this one.
    const signal = "signal" in outcome ? outcome.signal : null;
    if (stop.aborted || signal === "SIGINT" || signal === "SIGTERM") throw interrupted();
    if ("step" in outcome || "failure" in outcome) return outcome;
    return { failure: failureOf(outcome, await messages) };
  } finally {
    stop.removeEventListener("abort", kill);
  }
}

function failureOf(
  { code, signal }: { readonly code: number | null; readonly signal: NodeJS.Signals | null },
  messages: string,
): string {
  if (signal === "SIGKILL") return "killed by the system: it took more memory than there is";
  const last = messages.trim().split("\n").at(-1);
  return `ended by ${signal ?? `exit code ${code}`}${last ? `: ${last}` : ""}`;
}

function interrupted(): InterruptedError {
  return new InterruptedError("Measurement stopped; nothing is kept");
}
