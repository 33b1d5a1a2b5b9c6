import { conv2d } from "../engine/convolution";
import { relu } from "../engine/relu";
import { tf } from "../engine/tf";
import { normalise, resNetMaps, resNetStage } from "../nn/resnet";
import { featureCount, stageStride, type ResNetConfig } from "../nn/resnet-layout";
import type { DetectorArchitecture } from "./detector-architecture";
import { newAverages, newLayer, newNorm, type NewTensor } from "./initial-values";
import { roiAlign } from "./roi-align";

// No published code has the convolution, hence no published names.
const reduction = "reduction";
const reductionNorm = "reduction_norm";
const hiddenLayers = ["box_head.fc1", "box_head.fc2"] as const;

// 512 channels and hidden layers of 1024 units at width 64; narrow networks have as many times fewer.
const reducedChannels = ({ width }: ResNetConfig) => 8 * width;
const hiddenUnits = ({ width }: ResNetConfig) => 16 * width;

/**
 * Dilated C5 (paper, appendix A.1): stage 4 (res5) at the stride of stage 3, with dilation 2, and a 3x3 convolution with
 * batch normalisation that reduces its channels; the box head is two hidden fully connected layers, without normalisation.
 *
 * The paper names a ReLU where it has one beside batch normalisation (its semantic segmentation), and none here: there is none.
 */
export const dilatedC5: DetectorArchitecture = {
  title: "dilated-C5",
  stride: (backbone) => stageStride(backbone, 3),
  channels: reducedChannels,
  vectorLength: hiddenUnits,
  parameters: ({ backbone, roiResolution }) => {
    const channels = reducedChannels(backbone);
    const units = hiddenUnits(backbone);
    return [
      {
        name: `${reduction}.weight`,
        shape: [3, 3, featureCount(backbone), channels],
        initial: { normal: Math.sqrt(2 / (9 * channels)) },
      },
      ...newNorm(reductionNorm, channels),
      ...hiddenLayer(hiddenLayers[0], roiResolution ** 2 * channels, units),
      ...hiddenLayer(hiddenLayers[1], units, units),
    ];
  },
  running: ({ backbone }) => newAverages(reductionNorm, reducedChannels(backbone)),
  features: ({ config, parameters }, images, mode) => {
    const res4 = resNetMaps(config.backbone, parameters, images, mode, 3).at(-1)!;
    const res5 = resNetStage(config.backbone, parameters, res4, mode, 4, 2);
    const reduced = conv2d(res5, parameters.tensor(`${reduction}.weight`), { stride: 1, padding: 1 });
    return normalise(parameters, reduced, reductionNorm, mode);
  },
  regions: ({ config, parameters }, features, rois) => {
    const options = { resolution: config.roiResolution, scale: 1 / stageStride(config.backbone, 3), samplingRatio: 0 };
    const aligned = roiAlign(features, rois, options);
    // Channel after channel, as PyTorch flattens, so that the weights fit detectron2's box head.
    const flat = tf.transpose(aligned, [0, 3, 1, 2]).as2D(aligned.shape[0], aligned.size / aligned.shape[0]);
    const vectors = hiddenLayers.reduce(
      (x, name) =>
        relu(tf.add(tf.matMul(x, parameters.tensor<tf.Tensor2D>(`${name}.weight`)), parameters.tensor(`${name}.bias`))),
      flat,
    );
    return { vectors, maps: undefined };
  },
};

/** detectron2's initial values of fully connected layers (c2_xavier_fill). */
function hiddenLayer(name: string, from: number, to: number): NewTensor[] {
  return newLayer(name, [from, to], { uniform: Math.sqrt(3 / from) });
}
