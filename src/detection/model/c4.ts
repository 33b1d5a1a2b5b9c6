import { tf } from "../../engine/tf";
import { normalize, resNetMaps, resNetStage } from "../../nn/resnet";
import { boxCount } from "../structures/boxes";
import { featureCount, stageChannels, stageStride } from "../../nn/resnet-layout";
import type { DetectorArchitecture } from "./detector-architecture";
import { newAverages, newNorm } from "./initial-values";
import { maskHeadParameters } from "./mask-head";

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
  sizeDivisibility: () => 1,
  maskResolution: () => undefined,
  alignedMaps: 1,
  mapOf: (_, boxes) => new Int32Array(boxCount(boxes)),
  normalizesRegions: true,
  regions: ({ config, parameters }, aligned, mode) => {
    const stage = resNetStage(config.backbone, parameters, aligned, mode, 4);
    const maps = normalize(parameters, stage, extraNorm, mode);
    return { vectors: tf.mean<tf.Tensor2D>(maps, [1, 2]), maps };
  },
  maskMaps: (_, maps) => maps,
};
