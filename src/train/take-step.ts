import { DivergedError } from "../engine/errors";
import { tf } from "../engine/tf";
import type { Batch } from "../methods/method";
import type { StepResult } from "../methods/step";
import type { Recipe } from "./recipe";
import type { TrainingState } from "./state";

/**
 * One step of a pre-training: the method's gradients, applied by the optimizers. Does not count the step.
 *
 * @throws DivergedError if the loss is no longer a number
 */
export function takeStep(
  { method, optimizers, step }: TrainingState,
  recipe: Pick<Recipe, "optimizer">,
  batch: Batch,
  learningRate: number,
): Pick<StepResult, "loss" | "accuracy"> {
  const { loss, accuracy, gradients } = method.step(batch);
  method.trained.forEach((name, index) => {
    optimizers[index]!.apply(method.networks[name]!.parameters, gradients[index]!, {
      learningRate,
      momentum: recipe.optimizer.momentum,
      weightDecay: recipe.optimizer.weightDecay,
    });
  });
  tf.dispose([...gradients]);
  if (!Number.isFinite(loss)) {
    throw new DivergedError(`Training diverged: the loss of step ${step + 1} is ${loss}`);
  }
  return { loss, accuracy };
}
