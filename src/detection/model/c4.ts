import { tf } from "../../engine/tf";
import { normalize, resNetMaps, resNetStage } from "../../nn/resnet";
import { featureCount, stageChannels, stageStride } from "../../nn/resnet-layout";
import type { DetectorArchitecture } from "./detector-architecture";
import { newAverages, newNorm } from "./initial-values";
import { maskHeadParameters } from "./mask-head";
import { roiAlign } from "./roi-align";

/** The batch normalization after res5 (paper, appendix A.1). */
const extraNorm = "res5_norm";

/**
 * The C4 backbone (Faster R-CNN with a ResNet; paper, appendix A.1): stages 1 to 3 find regions; stage 4 (res5), a batch
 * normalization and global average pooling are the box head. Masks are predicted from what is pooled.
 */
export const c4: DetectorArchitecture = {
  title: "C4",
  levels: ({ backbone, anchorSizes }) => [{ stride: stageStride(backbone, 3), anchorSizes }],
  channels: (backbone) => stageChannels(backbone, 3),
  vectorLength: featureCount,
  parameters: ({ backbone, classes, masks }) => [
    ...newNorm(extraNorm, featureCount(backbone)),
    ...(masks ? maskHeadParameters(featureCount(backbone), backbone.width, classes) : []),
  ],
  running: ({ backbone }) => newAverages(extraNorm, featureCount(backbone)),
  features: ({ config, parameters }, images, mode) =>
    resNetMaps(config.backbone, parameters, images, mode, 3).slice(-1),
  regions: ({ config, parameters }, [features], rois, mode) => {
    const { backbone, roiResolution } = config;
    const scale = 1 / stageStride(backbone, 3);
    const aligned = roiAlign(features!, rois, { resolution: roiResolution, scale, samplingRatio: 0 });
    const normalized = normalize(parameters, resNetStage(backbone, parameters, aligned, mode, 4), extraNorm, mode);
    return {
      vectors: () => tf.mean<tf.Tensor2D>(normalized, [1, 2]),
      maskMaps: (chosen) => tf.gather(normalized, tf.tensor1d(chosen, "int32")),
    };
  },
};
