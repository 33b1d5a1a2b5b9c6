import { InputError } from "../errors";
import type { TensorEntry } from "./parameters";

export const architectures = ["resnet18", "resnet34", "resnet50", "resnext50-32x8d"] as const;

export type Architecture = (typeof architectures)[number];

/** A ResNet (He et al., 2016) or ResNeXt (Xie et al., 2017) up to and with global average pooling, as torchvision builds it. */
export interface ResNetConfig {
  readonly architecture: Architecture;
  /**
   * Channels of the first stage: 64 is the standard network; 128 widens every channel twice, 16 is a quarter. A
   * ResNeXt keeps its 32 groups, and their channels are scaled: 8 of them in the first stage at width 64, 1 at width 8.
   */
  readonly width: number;
  /** "imagenet": 7x7 convolution of stride 2 and max-pooling; "cifar": 3x3 convolution, no pooling. */
  readonly stem: "imagenet" | "cifar";
}

/** Whether two networks have the same backbone, whatever their heads. */
export function sameBackbone(a: ResNetConfig, b: ResNetConfig): boolean {
  return a.architecture === b.architecture && a.width === b.width && a.stem === b.stem;
}

/** One convolution and the batch normalization after it, both by torchvision's names. */
export interface ConvolutionSpec {
  readonly name: string;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
  /** Distance between neighboring taps, in pixels. */
  readonly dilation: number;
  readonly groups: number;
  readonly channelsIn: number;
  readonly channelsOut: number;
  /** The batch normalization that follows it. */
  readonly norm: string;
}

/** A residual block. */
export interface BlockSpec {
  /** In order; a ReLU stands between each two, and after the sum. */
  readonly convolutions: readonly ConvolutionSpec[];
  readonly downsample: ConvolutionSpec | undefined;
}

/** A network, layer by layer. */
export interface ResNetSpec {
  readonly stem: ConvolutionSpec;
  readonly maxPool: boolean;
  readonly stages: readonly (readonly BlockSpec[])[];
  readonly featureCount: number;
}

interface Layout {
  readonly blocks: readonly number[];
  readonly bottleneck: boolean;
  /** Groups of each 3x3 convolution, and the channels of one of them in the first stage at width 64. */
  readonly groups: number;
  readonly groupWidth: number;
}

const layouts: Record<Architecture, Layout> = {
  resnet18: { blocks: [2, 2, 2, 2], bottleneck: false, groups: 1, groupWidth: 64 },
  resnet34: { blocks: [3, 4, 6, 3], bottleneck: false, groups: 1, groupWidth: 64 },
  resnet50: { blocks: [3, 4, 6, 3], bottleneck: true, groups: 1, groupWidth: 64 },
  "resnext50-32x8d": { blocks: [3, 4, 6, 3], bottleneck: true, groups: 32, groupWidth: 8 },
};

/**
 * Length of the pooled feature vector: 512 for ResNet-18 of width 64, 2048 for ResNet-50.
 *
 * @throws InputError if the width is no whole number above 0, or gives a ResNeXt's groups none, as do all functions here
 */
export function featureCount(config: ResNetConfig): number {
  return specify(config).featureCount;
}

/** The trainable tensors of the network, in torchvision's order and names. */
export function resNetParameters(config: ResNetConfig): TensorEntry[] {
  return convolutionsOf(specify(config)).flatMap(({ name, norm, kernel, groups, channelsIn, channelsOut }) => [
    { name: `${name}.weight`, shape: [kernel, kernel, channelsIn / groups, channelsOut] },
    { name: `${norm}.weight`, shape: [channelsOut] },
    { name: `${norm}.bias`, shape: [channelsOut] },
  ]);
}

/** How many numbers are trained up to the pooling, as Table 1 of the paper counts: 23.5 million for ResNet-50. */
export function parameterCount(config: ResNetConfig): number {
  return resNetParameters(config).reduce(
    (sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1),
    0,
  );
}

/** The running averages of the network's batch normalizations, in torchvision's order and names. */
export function resNetRunningAverages(config: ResNetConfig): TensorEntry[] {
  return convolutionsOf(specify(config)).flatMap(({ norm, channelsOut }) => [
    { name: `${norm}.running_mean`, shape: [channelsOut] },
    { name: `${norm}.running_var`, shape: [channelsOut] },
  ]);
}

/** What a stage of residual blocks makes of an image: res2 to res5 in the detection literature are stages 1 to 4 here. */
export type Stage = 1 | 2 | 3 | 4;

/** Pixels of the image between neighbors of the stage's map: 16 after stage 3 with the ImageNet stem. */
export function stageStride({ stem }: ResNetConfig, stage: Stage): number {
  return (stem === "imagenet" ? 4 : 1) * 2 ** (stage - 1);
}

/** Channels of the stage's map: 1024 after stage 3 of ResNet-50. */
export function stageChannels(config: ResNetConfig, stage: Stage): number {
  return featureCount(config) / 2 ** (4 - stage);
}

/** The layers of a network. */
export function specify({ architecture, width, stem }: ResNetConfig): ResNetSpec {
  if (!Number.isInteger(width) || width < 1) {
    throw new InputError(
      `Cannot build ${architecture}: its width must be a whole number above 0, current value is ${width}`,
    );
  }
  const { blocks, bottleneck, groups, groupWidth } = layouts[architecture];
  const channelsPerGroup = (width * groupWidth) / 64;
  if (!Number.isInteger(channelsPerGroup)) {
    throw new InputError(
      `Cannot build ${architecture}: its width must be a multiple of ${64 / groupWidth}, so that each of its ${groups} ` +
        `groups has a whole number of channels, current value is ${width}`,
    );
  }
  const expansion = bottleneck ? 4 : 1;
  let channels = width;
  const stages = blocks.map((count, stage) => {
    const specs: BlockSpec[] = [];
    const inner = groups * channelsPerGroup * 2 ** stage;
    const outer = width * 2 ** stage * expansion;
    for (let index = 0; index < count; index++) {
      const stride = stage > 0 && index === 0 ? 2 : 1;
      const name = `layer${stage + 1}.${index}`;
      const downsample =
        stride !== 1 || channels !== outer
          ? { ...convolution(`${name}.downsample.0`, 1, stride, channels, outer), norm: `${name}.downsample.1` }
          : undefined;
      // torchvision puts a bottleneck's stride on its 3x3 convolution.
      const convolutions = bottleneck
        ? [
            convolution(`${name}.conv1`, 1, 1, channels, inner),
            { ...convolution(`${name}.conv2`, 3, stride, inner, inner), groups },
            convolution(`${name}.conv3`, 1, 1, inner, outer),
          ]
        : [convolution(`${name}.conv1`, 3, stride, channels, inner), convolution(`${name}.conv2`, 3, 1, inner, inner)];
      specs.push({ convolutions, downsample });
      channels = outer;
    }
    return specs;
  });
  return {
    stem: stem === "imagenet" ? convolution("conv1", 7, 2, 3, width) : convolution("conv1", 3, 1, 3, width),
    maxPool: stem === "imagenet",
    stages,
    featureCount: channels,
  };
}

/**
 * The blocks of a stage at the resolution of the stage before: stride 1, and the taps of every 3x3 convolution so many pixels
 * apart, the first block's too (detectron2's RES5_DILATION; torchvision leaves the first block as it is). The tensors stay
 * the same.
 */
export function dilate(blocks: readonly BlockSpec[], dilation: number): BlockSpec[] {
  const spread = (spec: ConvolutionSpec): ConvolutionSpec =>
    spec.kernel === 1 ? { ...spec, stride: 1 } : { ...spec, stride: 1, padding: spec.padding * dilation, dilation };
  return blocks.map(({ convolutions, downsample }) => ({
    convolutions: convolutions.map(spread),
    downsample: downsample && spread(downsample),
  }));
}

function convolution(
  name: string,
  kernel: number,
  stride: number,
  channelsIn: number,
  channelsOut: number,
): ConvolutionSpec {
  const norm = name.replace(/conv(\d)$/, "bn$1");
  return { name, norm, kernel, stride, padding: (kernel - 1) / 2, dilation: 1, groups: 1, channelsIn, channelsOut };
}

function convolutionsOf({ stem, stages }: ResNetSpec): ConvolutionSpec[] {
  return [
    stem,
    ...stages.flat().flatMap(({ convolutions, downsample }) => [...convolutions, ...(downsample ? [downsample] : [])]),
  ];
}
