import { tf } from "../engine/tf";
import { withoutGradient } from "../engine/without-gradient";
import { encode } from "../nn/encoder";
import { contrastAccuracy, contrastLogits, infoNCE } from "./losses";
import type { Moco, MocoInputs } from "./moco";
import { updateMomentumEncoder } from "./momentum-encoder";
import { encodeShuffled } from "./shuffling-bn";
import { differentiate, type StepResult } from "./step";

/** As {@link MocoInputs}, with an order for each time that keys are encoded. */
export interface SymmetricInputs extends Omit<MocoInputs, "permutation"> {
  readonly permutations: readonly [tf.Tensor1D | undefined, tf.Tensor1D | undefined];
}

/** The step of the official CIFAR-10 demo: each view is once the query and once the key, and the two losses are added. */
export function symmetricMocoStep(moco: Moco, inputs: SymmetricInputs): StepResult {
  const { queryEncoder, keyEncoder, queue, momentum, temperature, bnGroups } = moco;
  const { queryView, keyView, permutations, images } = inputs;

  updateMomentumEncoder(keyEncoder, queryEncoder, { momentum });
  const encodeKeys = (view: tf.Tensor4D, permutation: tf.Tensor1D | undefined) =>
    withoutGradient(() => encodeShuffled(keyEncoder, view, { bnGroups, permutation }));
  const keys = [encodeKeys(keyView, permutations[0]), encodeKeys(queryView, permutations[1])] as const;
  const result = differentiate([queryEncoder], () => {
    const logits = [queryView, keyView].map((view, index) =>
      contrastLogits(encode(queryEncoder, view, { bnGroups }), keys[index]!, { negatives: queue.keys, temperature }),
    );
    return { loss: tf.addN(logits.map(infoNCE)), accuracy: tf.mean(tf.stack(logits.map(contrastAccuracy))) };
  });
  // The order of the official demo: the keys of the first view, then those of the second.
  for (const batch of [keys[1], keys[0]]) queue.replaceOldest(batch, images);
  tf.dispose([...keys]);
  return result;
}
