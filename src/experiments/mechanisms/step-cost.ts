import type { ImageData } from "../../data/image-set";
import { tf } from "../../engine/tf";
import type { Cell } from "../ablation/ablation";
import { drawBatch } from "../../train/draw-batch";
import { disposeTraining, startTraining, trainingDataOf } from "../../train/state";
import { TrainingStep } from "../../train/take-step";

/** What a step of one cell costs on this machine. */
export interface StepCost {
  readonly label: string;
  /** Median over the rounds, views and optimizer included, divided by the images of a batch. */
  readonly millisecondsAImage: number;
  /** What is held from step to step: networks, velocities, queue or bank. */
  readonly megabytes: number;
}

/**
 * Times a few steps of each cell from its start, the cells taking turns, so that whatever else the machine does weighs on all
 * of them. Nothing is kept.
 *
 * @param rounds - timed steps of each cell, after one that warms up
 */
export function stepCosts(cells: readonly Cell[], data: ImageData, rounds = 5): StepCost[] {
  const started = cells.map(({ recipe }) => {
    const before = tf.memory().numBytes;
    const state = startTraining(recipe, { seed: 1, data: trainingDataOf(data) });
    const bytes = tf.memory().numBytes - before;
    return { recipe, state, step: new TrainingStep(state, recipe.optimizer), bytes, times: [] as number[] };
  });
  for (let round = 0; round <= rounds; round++) {
    for (const { recipe, state, step, times } of started) {
      const start = performance.now();
      const batch = drawBatch(data, recipe, { seed: 1, step: round, views: state.method.views });
      step.take(batch, recipe.learningRate, `step ${round + 1}`);
      if (round > 0) times.push((performance.now() - start) / recipe.batchSize);
    }
  }
  return started.map(({ state, step, bytes, times }, index) => {
    step.dispose();
    disposeTraining(state);
    return {
      label: cells[index]!.label,
      millisecondsAImage: times.sort((a, b) => a - b)[Math.floor(times.length / 2)]!,
      megabytes: bytes / 2 ** 20,
    };
  });
}
