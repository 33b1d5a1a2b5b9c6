import { conv2d } from "../../engine/convolution";
import { relu } from "../../engine/relu";
import { tf } from "../../engine/tf";
import type { ParameterVector } from "../../nn/parameters";
import { newLayer, type NewTensor } from "./initial-values";

/** What the head says of every anchor of a batch, in the order of `levelAnchors`. */
export interface RpnOutput {
  /** Logits, [N, A]. */
  readonly objectness: tf.Tensor2D;
  /** [N, A, 4] */
  readonly deltas: tf.Tensor3D;
}

/**
 * The tensors of the region proposal network's head (Faster R-CNN, section 3.1), with detectron2's names.
 *
 * @param channels - of the feature map
 * @param anchors - at each place of the map
 */
export function rpnHeadParameters(channels: number, anchors: number): NewTensor[] {
  const initial = { normal: 0.01 };
  return [
    ...newLayer("rpn.conv", [3, 3, channels, channels], initial),
    ...newLayer("rpn.objectness_logits", [1, 1, channels, anchors], initial),
    ...newLayer("rpn.anchor_deltas", [1, 1, channels, 4 * anchors], initial),
  ];
}

/**
 * A 3x3 convolution with ReLU, and from it two 1x1 convolutions; the same weights on every level.
 *
 * @param features - of one level, [N, H, W, channels]
 */
export function rpnHead(parameters: ParameterVector, features: tf.Tensor4D): RpnOutput {
  return tf.tidy(() => {
    const hidden = relu(convolveWithBias(parameters, features, "rpn.conv", 1));
    const objectness = convolveWithBias(parameters, hidden, "rpn.objectness_logits", 0);
    const deltas = convolveWithBias(parameters, hidden, "rpn.anchor_deltas", 0);
    const count = features.shape[0];
    const anchors = objectness.size / count;
    return { objectness: objectness.as2D(count, anchors), deltas: deltas.as3D(count, anchors, 4) };
  });
}

/**
 * A convolution of stride 1 and a bias, as the heads have them, which have no batch normalization.
 *
 * @param name - of the layer
 */
export function convolveWithBias(
  parameters: ParameterVector,
  x: tf.Tensor4D,
  name: string,
  padding: number,
): tf.Tensor4D {
  const convolved = conv2d(x, parameters.tensor(`${name}.weight`), { stride: 1, padding });
  return tf.add<tf.Tensor4D>(convolved, parameters.tensor(`${name}.bias`));
}
