import { z } from "zod";
import { InputError } from "../errors";
import type { tf } from "../engine/tf";
import { forward, createEncoder, type BatchGroups, type Encoder } from "../nn/encoder";
import { crossEntropy, topOneAccuracy } from "./losses";
import { defineMethod, oneView } from "./method";
import { queryName } from "./network-names";
import { differentiate, type StepResult } from "./step";

/** What a step of supervised training is given. */
export interface SupervisedInputs {
  /** [N, H, W, 3], normalized. */
  readonly view: tf.Tensor4D;
  /** Class of each image, int32 [N]. */
  readonly labels: tf.Tensor1D;
}

/**
 * One step of supervised training, up to the gradient: the baseline that pre-training is measured against.
 *
 * @param encoder - its head gives a logit for each class
 */
export function supervisedStep(
  encoder: Encoder,
  { view, labels }: SupervisedInputs,
  { bnGroups }: BatchGroups,
): StepResult {
  return differentiate([encoder], () => {
    const logits = forward(encoder, view, { bnGroups });
    return { loss: crossEntropy(logits, labels), accuracy: topOneAccuracy(logits, labels) };
  });
}

/** Supervised training, as recipes name it. */
export const supervised = defineMethod({
  settings: z.object({ kind: z.literal("supervised") }).strict(),
  trained: [queryName],
  start: (_settings, { encoder: config, bnGroups, classes, random }) => {
    if (config.dimension !== classes) {
      throw new InputError(
        `Cannot train a classifier: encoder.dimension must be the number of classes ${classes}, ` +
          `current value is ${config.dimension}`,
      );
    }
    const encoder = createEncoder(config, random("initialization"));
    return {
      encoder,
      networks: { [queryName]: encoder },
      views: oneView,
      step: ({ views: [view], labels }) => supervisedStep(encoder, { view: view!, labels }, { bnGroups }),
    };
  },
});
