import { tf } from "../engine/tf";

// Keeps the logarithm finite, as in the original code of instance discrimination.
const epsilon = 1e-7;

/**
 * Z of instance discrimination (Wu et al., 2018, section 3.2): what makes exp(similarity / T) a probability over all
 * pictures. Estimated once, from the first batch, and constant from then on.
 *
 * @param logits - similarities divided by the temperature, [N, K + 1]
 * @param pictures - size of the training set
 */
export function nceNormaliser(logits: tf.Tensor2D, pictures: number): number {
  const mean = tf.tidy(() => tf.mean(tf.exp(logits)));
  const normaliser = (mean.arraySync() as number) * pictures;
  mean.dispose();
  return normaliser;
}

/**
 * The loss that the paper's footnote 2 compares with the softmax: noise-contrastive estimation (Wu et al., 2018,
 * equations 5 to 8). Each logit is told apart from noise by itself: h = P / (P + K / pictures), P = exp(logit) / Z.
 *
 * @param logits - similarities divided by the temperature, the positive in column 0, [N, K + 1]
 * @param normaliser - Z of {@link nceNormaliser}
 * @param pictures - size of the training set
 * @returns mean over the batch of -(log h of the positive + sum of log(1 - h) of the negatives)
 */
export function nceLoss(logits: tf.Tensor2D, normaliser: number, pictures: number): tf.Scalar {
  return tf.tidy(() => {
    const noise = (logits.shape[1] - 1) / pictures;
    const probabilities = tf.div<tf.Tensor2D>(tf.exp(logits), normaliser);
    const total = tf.add<tf.Tensor2D>(probabilities, noise + epsilon);
    const positive = tf.sum(
      tf.log(tf.div(tf.slice2d(probabilities, [0, 0], [-1, 1]), tf.slice2d(total, [0, 0], [-1, 1]))),
    );
    const negative = tf.sum(tf.log(tf.div(noise, tf.slice2d(total, [0, 1], [-1, -1]))));
    return tf.div<tf.Scalar>(tf.neg(tf.add(positive, negative)), logits.shape[0]);
  });
}
