import { relu } from "../../engine/relu";
import { tf } from "../../engine/tf";
import type { ParameterVector } from "../../nn/parameters";
import type { ResNetConfig } from "../../nn/resnet-layout";
import { newLayer, type NewTensor } from "./initial-values";

const layers = ["box_head.fc1", "box_head.fc2"] as const;

/** Units of each hidden layer: 1024 at width 64; a narrow network has as many times fewer. */
export function boxHeadUnits({ width }: ResNetConfig): number {
  return 16 * width;
}

/**
 * The tensors of a box head of two fully connected layers, with detectron2's names and initial values (c2_xavier_fill).
 *
 * @param length - numbers that are aligned of a region
 */
export function boxHeadParameters(length: number, backbone: ResNetConfig): NewTensor[] {
  const units = boxHeadUnits(backbone);
  return [length, units].flatMap((from, index) =>
    newLayer(layers[index]!, [from, units], { uniform: Math.sqrt(3 / from) }),
  );
}

/**
 * Two fully connected layers with ReLU, without normalization (FPN, section 4.2; MoCo, appendix A.1).
 *
 * @param aligned - regions, [R, P, P, C]
 * @returns [R, units]
 */
export function boxHead(parameters: ParameterVector, aligned: tf.Tensor4D): tf.Tensor2D {
  return tf.tidy(() => {
    const [count, height, width, channels] = aligned.shape;
    // Channel after channel, as PyTorch flattens, so that the weights fit detectron2's box head.
    const flat = tf.transpose(aligned, [0, 3, 1, 2]).as2D(count, height * width * channels);
    return layers.reduce(
      (x, name) =>
        relu(tf.add(tf.matMul(x, parameters.tensor<tf.Tensor2D>(`${name}.weight`)), parameters.tensor(`${name}.bias`))),
      flat,
    );
  });
}
