import { machineFacts } from "../engine/device";
import { InputError } from "../errors";
import { estimateAll, type EstimatedTraining } from "../experiments/cost/estimate-all";
import { trainingsNamed, type PlannedTraining } from "../experiments/cost/planned-training";
import { planOf } from "../experiments/cost/training-plan";
import { costTable, planTable, stepText } from "../experiments/cost/estimate-rows";
import type { EstimateFlags } from "./estimate";

/** What `moco estimate` does. A module of its own, since it loads TensorFlow. */
export async function estimateAction(names: readonly string[], flags: EstimateFlags): Promise<void> {
  if (flags.batches !== undefined && !flags.measure) {
    throw new InputError("Cannot use --batches without a measurement: add --measure");
  }
  const trainings = trainingsNamed(names);
  const plans = trainings.map(planOf);
  if (!flags.json) console.log(planTable(plans));
  if (!flags.measure) {
    if (flags.json) console.log(JSON.stringify({ trainings: plans }, null, 2));
    return;
  }
  const estimated = await measure(trainings, flags);
  // The table says of each what failed.
  if (estimated.some(({ outcome }) => "failure" in outcome)) process.exitCode = 1;
  const { cpu, platform, tensorflow } = machineFacts();
  const machine = { cpu: cpu.model, cores: cpu.cores, platform, tensorflow };
  if (!flags.json) {
    console.log(costTable(estimated, machine));
  } else {
    const json = estimated.map(({ training, outcome }) => ({ ...planOf(training), ...outcome }));
    console.log(JSON.stringify({ machine, trainings: json }, null, 2));
  }
}

/** Measures, and stops at Ctrl-C. */
async function measure(
  trainings: readonly PlannedTraining[],
  { batches, json }: EstimateFlags,
): Promise<EstimatedTraining[]> {
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  const stream = json ? process.stderr : process.stdout;
  try {
    return await estimateAll(trainings, {
      batches,
      stop: stop.signal,
      onMeasure: ({ recipe }) => stream.write(`Step of ${recipe.name} with a batch of ${recipe.batchSize}: `),
      onReply: (reply) => stream.write(`${"step" in reply ? stepText(reply.step) : reply.failure}\n`),
    });
  } finally {
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
  }
}
