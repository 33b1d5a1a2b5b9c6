import type { tf } from "../engine/tf";
import { classLogits, type Encoder } from "../nn/encoder";
import { crossEntropy, topOneAccuracy } from "./losses";
import { differentiate, type StepResult } from "./step";

/**
 * One step of supervised training, up to the gradient: the baseline that pre-training is measured against.
 *
 * @param encoder - its head gives a logit for each class
 * @param view - [N, H, W, 3], normalized
 * @param labels - class of each image, int32 [N]
 */
export function supervisedStep(encoder: Encoder, view: tf.Tensor4D, labels: tf.Tensor1D, bnGroups: number): StepResult {
  return differentiate([encoder], () => {
    const logits = classLogits(encoder, view, bnGroups);
    return { loss: crossEntropy(logits, labels), accuracy: topOneAccuracy(logits, labels) };
  });
}
