import { conv2d } from "../../engine/convolution";
import { InputError } from "../../errors";
import { normalize, resNetMaps, resNetStage } from "../../nn/resnet";
import { featureCount, stageStride, type ResNetConfig } from "../../nn/resnet-layout";
import { boxCount } from "../structures/boxes";
import { boxHead, boxHeadParameters, boxHeadUnits } from "./box-head";
import type { DetectorArchitecture } from "./detector-architecture";
import { newAverages, newNorm } from "./initial-values";

// No published code has the convolution, hence no published names.
const reduction = "reduction";
const reductionNorm = "reduction_norm";

/** 512 at width 64; a narrow network has as many times fewer. */
const reducedChannels = ({ width }: ResNetConfig) => 8 * width;

/**
 * Dilated C5 (paper, appendix A.1): stage 4 (res5) at the stride of stage 3, with dilation 2, and a 3x3 convolution with
 * batch normalization that reduces its channels; the box head is two hidden fully connected layers, without normalization.
 *
 * The paper names a ReLU where it has one beside batch normalization (its semantic segmentation), and none here: there is none.
 */
export const dilatedC5: DetectorArchitecture = {
  title: "dilated-C5",
  levels: ({ backbone, anchorSizes }) => [{ stride: stageStride(backbone, 3), anchorSizes }],
  channels: reducedChannels,
  vectorLength: boxHeadUnits,
  parameters: ({ backbone, roiResolution }) => {
    const channels = reducedChannels(backbone);
    return [
      {
        name: `${reduction}.weight`,
        shape: [3, 3, featureCount(backbone), channels],
        initial: { normal: Math.sqrt(2 / (9 * channels)) },
      },
      ...newNorm(reductionNorm, channels),
      ...boxHeadParameters(roiResolution ** 2 * channels, backbone),
    ];
  },
  running: ({ backbone }) => newAverages(reductionNorm, reducedChannels(backbone)),
  features: ({ config, parameters }, images, mode) => {
    const res4 = resNetMaps(config.backbone, parameters, images, mode, 3).at(-1)!;
    const res5 = resNetStage(config.backbone, parameters, res4, mode, 4, 2);
    const reduced = conv2d(res5, parameters.tensor(`${reduction}.weight`), { stride: 1, padding: 1 });
    return [normalize(parameters, reduced, reductionNorm, mode)];
  },
  sizeDivisibility: () => 1,
  maskResolution: () => undefined,
  alignedMaps: 1,
  mapOf: (_, boxes) => new Int32Array(boxCount(boxes)),
  normalizesRegions: false,
  regions: ({ parameters }, aligned) => ({ vectors: boxHead(parameters, aligned), maps: aligned }),
  maskMaps: () => {
    throw new InputError("Cannot predict masks with dilated-C5: it has no mask head; choose another architecture");
  },
};
