import { gatherRows } from "../../engine/gather-rows";
import { relu } from "../../engine/relu";
import { tf } from "../../engine/tf";
import type { ParameterVector } from "../../nn/parameters";
import { binaryCrossEntropy } from "./detector-losses";
import { newLayer, type NewTensor } from "./initial-values";

/**
 * The tensors of the mask head on shared res5 features (Mask R-CNN, figure 4, left), with detectron2's names.
 *
 * @param channels - of the map of a region
 * @param width - of the backbone: 64 gives the standard 256 hidden channels
 * @param classes - K
 */
export function maskHeadParameters(channels: number, width: number, classes: number): NewTensor[] {
  const hidden = 4 * width;
  return [
    {
      name: "mask_head.deconv.weight",
      shape: [2, 2, hidden, channels],
      // detectron2's c2_msra_fill, by what PyTorch takes for the fan-out of a transposed convolution.
      initial: { normal: Math.sqrt(2 / (4 * channels)) },
    },
    { name: "mask_head.deconv.bias", shape: [hidden], initial: { constant: 0 } },
    ...newLayer("mask_head.predictor", [1, 1, hidden, classes], { normal: 0.001 }),
  ];
}

/**
 * A 2x2 transposed convolution of stride 2 with ReLU, and a 1x1 convolution to one mask a class.
 *
 * The filter is as long as its step, so that both are matrix products at each place.
 *
 * @param maps - of the regions, [P, S / 2, S / 2, channels]
 * @returns logits, [P, S, S, K]
 */
export function maskHead(parameters: ParameterVector, maps: tf.Tensor4D): tf.Tensor4D {
  return tf.tidy(() => {
    const [count, height, width, channels] = maps.shape;
    const filter = parameters.tensor<tf.Tensor4D>("mask_head.deconv.weight");
    const predictor = parameters.tensor<tf.Tensor4D>("mask_head.predictor.weight");
    const [, , hidden, classes] = predictor.shape;
    const spread = tf.transpose(filter, [3, 0, 1, 2]).as2D(channels, 4 * hidden);
    const larger = tf
      .matMul(maps.as2D(count * height * width, channels), spread)
      .as2D(count * height * width * 4, hidden);
    const rectified = relu(tf.add<tf.Tensor2D>(larger, parameters.tensor("mask_head.deconv.bias")));
    const masks = tf.add(
      tf.matMul(rectified, predictor.as2D(hidden, classes)),
      parameters.tensor("mask_head.predictor.bias"),
    );
    const inPlace = tf.transpose(masks.reshape([count, height, width, 2, 2, classes]), [0, 1, 3, 2, 4, 5]);
    return inPlace.reshape([count, 2 * height, 2 * width, classes]);
  });
}

/**
 * Of the masks that the head gives for each class, that of one class a region.
 *
 * @param logits - [P, S, S, K]
 * @param rows - of `rowsOfClass`, int32 [P]
 * @returns [P, S * S]
 */
export function masksOfClass(logits: tf.Tensor4D, rows: tf.Tensor1D): tf.Tensor2D {
  return tf.tidy(() => {
    const [count, height, width, classes] = logits.shape;
    return gatherRows(tf.transpose(logits, [0, 3, 1, 2]).as2D(count * classes, height * width), rows);
  });
}

/**
 * Binary cross-entropy of the true class's masks, mean over all places of all regions (Mask R-CNN, section 3).
 *
 * @param logits - of the true class, [P, S * S]
 * @param targets - 1 or 0, [P, S * S]
 * @param share - what a place counts for: 1 / (P * S * S), or 0 where the one region stands for none
 */
export function maskLoss(logits: tf.Tensor2D, targets: tf.Tensor2D, share: tf.Scalar): tf.Scalar {
  return tf.tidy(() => tf.mul(binaryCrossEntropy(logits.as1D(), targets.as1D()), share));
}
