import type { ResNetConfig } from "../nn/resnet-layout";

/** An encoder of the paper's Table 1 that MoCo was trained with. */
export interface PublishedEncoder {
  /** As Table 1 names it. */
  readonly name: string;
  readonly network: ResNetConfig;
  /** As Table 1 prints them, in millions. */
  readonly parameters: number;
  /** ImageNet linear top-1 of MoCo, in percent. */
  readonly accuracy: number;
}

/** Table 1, rows "MoCo". */
export const publishedEncoders: readonly PublishedEncoder[] = [
  { name: "R50", network: imagenet("resnet50", 64), parameters: 24, accuracy: 60.6 },
  { name: "RX50", network: imagenet("resnext50-32x8d", 64), parameters: 46, accuracy: 63.9 },
  { name: "R50w2×", network: imagenet("resnet50", 128), parameters: 94, accuracy: 65.4 },
  { name: "R50w4×", network: imagenet("resnet50", 256), parameters: 375, accuracy: 68.6 },
];

const otherTask = "another pretext task or a generative model, which this kit does not build";
const otherContrast = "contrastive, but by other views or other parts of an image than MoCo's";
const withLabels = `${otherContrast}; its augmentation was searched with ImageNet labels`;

/** Table 1, all rows but MoCo's: method and architecture, parameters in millions, ImageNet linear top-1, why not run. */
export const publishedMethods: readonly (readonly [
  label: string,
  parameters: number,
  accuracy: number,
  reason: string,
])[] = [
  ["Exemplar, R50w3×", 211, 46.0, otherTask],
  ["RelativePosition, R50w2×", 94, 51.4, otherTask],
  ["Jigsaw, R50w2×", 94, 44.6, otherTask],
  ["Rotation, Rv50w4×", 86, 55.4, otherTask],
  ["Colorization, R101*", 28, 39.6, otherTask],
  ["DeepCluster, VGG", 15, 48.4, otherTask],
  ["BigBiGAN, R50", 24, 56.6, otherTask],
  ["BigBiGAN, Rv50w4×", 86, 61.3, otherTask],
  ["InstDisc, R50", 24, 54.0, 'the memory bank of its own paper; the row "memory bank" is MoCo\'s version of it'],
  ["LocalAgg, R50", 24, 58.8, otherContrast],
  ["CPC v1, R101*", 28, 48.7, otherContrast],
  ["CPC v2, R170* wider", 303, 65.9, otherContrast],
  ["CMC, R50 (L + ab)", 47, 64.1, withLabels],
  ["CMC, R50w2× (L + ab)", 188, 68.4, withLabels],
  ["AMDIM, small", 194, 63.5, withLabels],
  ["AMDIM, large", 626, 68.1, withLabels],
];

/** ImageNet linear top-1 of networks that stand beside MoCo, outside of the paper's Figure 3. */
export const publishedBeside = {
  /** MoCo v2 (arXiv 2003.04297), Table 1: ResNet-50 trained with labels. */
  supervised: 76.5,
  /** MoCo v2, Table 2: SimCLR with batch 256 for 200 epochs. */
  simclr: 61.9,
} as const;

function imagenet(architecture: ResNetConfig["architecture"], width: number): ResNetConfig {
  return { architecture, width, stem: "imagenet" };
}
