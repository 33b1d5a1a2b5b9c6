import { conv2d } from "../../engine/convolution";
import { relu } from "../../engine/relu";
import { tf } from "../../engine/tf";
import { normalize, resNetMaps, type NormalizationMode } from "../../nn/resnet";
import { stageChannels, stageStride, type ResNetConfig, type Stage } from "../../nn/resnet-layout";
import { boxHead, boxHeadParameters, boxHeadUnits } from "./box-head";
import type { Detector } from "./detector";
import type { DetectorConfig } from "../detector-config";
import type { DetectorArchitecture } from "./detector-architecture";
import { newAverages, newLayer, newNorm, type NewTensor } from "./initial-values";
import { maskHeadParameters } from "./mask-head";
import { finestLevel, pyramidLevels } from "./pyramid-regions";
import { convolveWithBias } from "./rpn-head";

/** Stages whose maps the pyramid is built on: res2 to res5, which give levels P2 to P5. */
const stages = [1, 2, 3, 4] as const satisfies readonly Stage[];

const lateral = (stage: Stage) => `fpn_lateral${stage + 1}`;
const output = (stage: Stage) => `fpn_output${stage + 1}`;
const maskConvolutions = [1, 2, 3, 4].map((index) => `mask_head.mask_fcn${index}`);

/** Of every level: 256 at width 64; a narrow network has as many times fewer. */
const pyramidChannels = ({ width }: ResNetConfig) => 4 * width;

/**
 * Side of the squares that are aligned on P4: 224 px where P4's anchors have 128, as detectron2 has it; other anchors are
 * for objects of another scale, and it goes with them.
 */
const canonicalSize = ({ anchorSizes }: DetectorConfig) => (224 / 128) * anchorSizes[2]!;

/**
 * The feature pyramid (FPN, Lin et al., 2017; paper, section 4.2): levels P2 to P6 of one anchor size each, regions aligned on
 * the level of their size, two fully connected layers for boxes and four convolutions for masks. Batch normalization stands in
 * the backbone and in the pyramid, none in the heads.
 */
export const fpn: DetectorArchitecture = {
  title: "FPN",
  levels: ({ backbone, anchorSizes }) => {
    const strides = stages.map((stage) => stageStride(backbone, stage));
    return [...strides, 2 * strides.at(-1)!].map((stride, index) => ({ stride, anchorSizes: [anchorSizes[index]!] }));
  },
  channels: pyramidChannels,
  vectorLength: boxHeadUnits,
  parameters: ({ backbone, classes, roiResolution, masks }) => {
    const channels = pyramidChannels(backbone);
    return [
      ...stages.flatMap((stage) => [
        ...normalizedConvolution(lateral(stage), 1, stageChannels(backbone, stage), channels),
        ...normalizedConvolution(output(stage), 3, channels, channels),
      ]),
      ...boxHeadParameters(roiResolution ** 2 * channels, backbone),
      ...(masks ? maskParameters(channels, backbone.width, classes) : []),
    ];
  },
  running: ({ backbone }) =>
    stages
      .flatMap((stage) => [lateral(stage), output(stage)])
      .flatMap((name) => newAverages(`${name}.norm`, pyramidChannels(backbone))),
  features: pyramid,
  sizeDivisibility: (backbone) => stageStride(backbone, 4),
  maskResolution: ({ roiResolution }) => 2 * roiResolution,
  alignedMaps: stages.length,
  mapOf: (config, boxes) => pyramidLevels(boxes, canonicalSize(config)).map((level) => level - finestLevel),
  normalizesRegions: false,
  regions: ({ parameters }, aligned) => ({ vectors: boxHead(parameters, aligned), maps: aligned }),
  maskMaps: ({ parameters }, maps) =>
    maskConvolutions.reduce((x, name) => relu(convolveWithBias(parameters, x, name, 1)), maps),
};

/** P2 to P6: top-down, each level the sum of a stage's map and of the coarser level (FPN, section 3). */
function pyramid({ config, parameters }: Detector, images: tf.Tensor4D, mode: NormalizationMode): tf.Tensor4D[] {
  const { backbone } = config;
  const convolve = (x: tf.Tensor4D, name: string, padding: number) =>
    normalize(parameters, conv2d(x, parameters.tensor(`${name}.weight`), { stride: 1, padding }), `${name}.norm`, mode);
  const maps = resNetMaps(backbone, parameters, padToMultiple(images, stageStride(backbone, 4)), mode, 4);
  const levels: tf.Tensor4D[] = [];
  let sum: tf.Tensor4D | undefined;
  for (const [index, stage] of [...stages.entries()].reverse()) {
    const across = convolve(maps[index]!, lateral(stage), 0);
    sum = sum === undefined ? across : addUpsampled(across, sum);
    levels.unshift(convolve(sum, output(stage), 1));
  }
  // detectron2's LastLevelMaxPool: every second pixel.
  return [...levels, tf.maxPool(levels.at(-1)!, 1, 2, "valid")];
}

/** Zeros at the right and at the bottom, so that the map of each stage is twice as large as the next (detectron2's size_divisibility). */
function padToMultiple(images: tf.Tensor4D, multiple: number): tf.Tensor4D {
  const [, height, width] = images.shape;
  const missing = (length: number) => (multiple - (length % multiple)) % multiple;
  if (missing(height) === 0 && missing(width) === 0) return images;
  return tf.pad4d(images, [
    [0, 0],
    [0, missing(height)],
    [0, missing(width)],
    [0, 0],
  ]);
}

/** The sum of a map and of one half as large, each of whose pixels counts for 2 x 2: broadcasting in place of upsampling. */
function addUpsampled(fine: tf.Tensor4D, coarse: tf.Tensor4D): tf.Tensor4D {
  const [count, height, width, channels] = coarse.shape;
  return tf
    .add(fine.as5D(count * height, 2, width, 2, channels), coarse.as5D(count * height, 1, width, 1, channels))
    .as4D(count, 2 * height, 2 * width, channels);
}

/** detectron2's initial values (c2_xavier_fill); no bias before a batch normalization. */
function normalizedConvolution(name: string, kernel: number, from: number, to: number): NewTensor[] {
  const initial = { uniform: Math.sqrt(3 / (kernel ** 2 * from)) };
  return [{ name: `${name}.weight`, shape: [kernel, kernel, from, to], initial }, ...newNorm(`${name}.norm`, to)];
}

/** The mask head (Mask R-CNN, figure 4, right); detectron2's initial values of the convolutions (c2_msra_fill). */
function maskParameters(channels: number, width: number, classes: number): NewTensor[] {
  const initial = { normal: Math.sqrt(2 / (9 * channels)) };
  return [
    ...maskConvolutions.flatMap((name) => newLayer(name, [3, 3, channels, channels], initial)),
    ...maskHeadParameters(channels, width, classes),
  ];
}
