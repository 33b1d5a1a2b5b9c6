import { tf } from "../engine/tf";

// Keeps the logarithm finite, as in the original code of instance discrimination.
const epsilon = 1e-7;

/**
 * Z of instance discrimination (Wu et al., 2018, section 3.2): what makes exp(similarity / T) a probability over all
 * images. Estimated once, from the first batch, and constant from then on.
 *
 * @param logits - similarities divided by the temperature, [N, K + 1]
 * @param images - size of the training set
 */
export function nceNormalizer(logits: tf.Tensor2D, images: number): number {
  const mean = tf.tidy(() => tf.mean(tf.exp(logits)));
  const normalizer = (mean.arraySync() as number) * images;
  mean.dispose();
  return normalizer;
}

/**
 * The loss that the paper's footnote 2 compares with the softmax: noise-contrastive estimation (Wu et al., 2018,
 * equations 5 to 8). Each logit is told apart from noise by itself: h = P / (P + K / images), P = exp(logit) / Z.
 *
 * @param logits - similarities divided by the temperature, the positive in column 0, [N, K + 1]
 * @param normalizer - Z of {@link nceNormalizer}
 * @param images - size of the training set
 * @returns mean over the batch of -(log h of the positive + sum of log(1 - h) of the negatives)
 */
export function nceLoss(logits: tf.Tensor2D, normalizer: number, images: number): tf.Scalar {
  return tf.tidy(() => {
    const noise = (logits.shape[1] - 1) / images;
    const probabilities = tf.div<tf.Tensor2D>(tf.exp(logits), normalizer);
    const total = tf.add<tf.Tensor2D>(probabilities, noise + epsilon);
    const positive = tf.sum(
      tf.log(tf.div(tf.slice2d(probabilities, [0, 0], [-1, 1]), tf.slice2d(total, [0, 0], [-1, 1]))),
    );
    const negative = tf.sum(tf.log(tf.div(noise, tf.slice2d(total, [0, 1], [-1, -1]))));
    return tf.div<tf.Scalar>(tf.neg(tf.add(positive, negative)), logits.shape[0]);
  });
}
