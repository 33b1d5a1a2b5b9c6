import { InputError } from "../../errors";
import { costOf, type TrainingCost } from "./estimate-training";
import { measureApart } from "./measure-in-own-process";
import { stepKey, withBatch } from "./measured-training";
import type { PlannedTraining } from "./planned-training";
import type { StepReply } from "./step-program";

/**
 * Batches that a step is measured at, unless told otherwise: few enough images for the memory of a laptop. Those of pre-training
 * are below the 32 of a group of batch normalization, so each batch is one group.
 */
const defaultBatches: Readonly<Record<PlannedTraining["task"], readonly number[]>> = {
  "pre-training": [8, 16],
  "linear classification": [16, 32],
  // One image of a C4 detector at the paper's size already takes most of a laptop's memory.
  detection: [1],
};

/** The batches of a measurement: one or two numbers of images in ascending order, or the recipe's own. */
export type MeasuredBatches = readonly number[] | "full";

/** What became of the measurement of one training. */
export interface EstimatedTraining {
  readonly training: PlannedTraining;
  readonly outcome: { readonly cost: TrainingCost; readonly device: string } | { readonly failure: string };
}

export interface EstimateOptions {
  /** @default defaultBatches */
  readonly batches?: MeasuredBatches | undefined;
  /** Stops the measurements. */
  readonly stop: AbortSignal;
  /** Told before each measurement. */
  readonly onMeasure?: (training: PlannedTraining) => void;
  /** Told after each measurement. */
  readonly onReply?: (reply: StepReply) => void;
}

/**
 * Measures a step of each training, each batch in a process of its own, and estimates the whole. Trainings that share network
 * and input share the measurement. A training that fails is told in its place.
 *
 * @throws InputError before anything is measured, if a recipe cannot have the batches
 * @throws InterruptedError if it was stopped
 */
export async function estimateAll(
  trainings: readonly PlannedTraining[],
  { batches, stop, onMeasure, onReply }: EstimateOptions,
): Promise<EstimatedTraining[]> {
  const toMeasure = trainings.map((training) => measuredTrainings(training, batches ?? defaultBatches[training.task]));
  const replies = new Map<string, StepReply>();
  const results: EstimatedTraining[] = [];
  for (const [index, training] of trainings.entries()) {
    const measured: StepReply[] = [];
    for (const one of toMeasure[index]!) {
      const key = `${stepKey(one)} at ${one.recipe.batchSize}`;
      if (!replies.has(key)) {
        onMeasure?.(one);
        const reply = await measureApart(one, stop);
        replies.set(key, reply);
        onReply?.(reply);
      }
      const reply = replies.get(key)!;
      measured.push("step" in reply ? reply : { failure: `batch ${one.recipe.batchSize}: ${reply.failure}` });
      if ("failure" in reply) break;
    }
    results.push({ training, outcome: outcomeOf(training, measured) });
  }
  return results;
}

/** The training at each batch that is measured, the recipe's own at most. */
function measuredTrainings(training: PlannedTraining, batches: MeasuredBatches): PlannedTraining[] {
  const own = training.recipe.batchSize;
  const sizes = batches === "full" ? [own] : batches.map((size) => Math.min(size, own));
  return [...new Set(sizes)].map((size) => withBatch(training, size));
}

function outcomeOf(training: PlannedTraining, replies: readonly StepReply[]): EstimatedTraining["outcome"] {
  const steps = replies.flatMap((reply) => ("step" in reply ? [reply] : []));
  const failed = replies.find((reply) => "failure" in reply);
  if (failed !== undefined) return failed;
  try {
    const cost = costOf(
      training,
      steps.map(({ step }) => step),
    );
    return { cost, device: steps[0]!.device };
  } catch (error) {
    if (error instanceof InputError) return { failure: error.message };
    throw error;
  }
}
