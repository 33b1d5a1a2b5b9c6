import { batchNormInference, batchNormTraining, type BatchStatistics } from "../engine/batch-norm";
import { conv2d } from "../engine/convolution";
import { InputError } from "../engine/errors";
import { relu } from "../engine/relu";
import { tf } from "../engine/tf";
import type { ParameterVector, TensorEntry } from "./parameters";

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

/** How a forward pass normalises: with the batch's own statistics, handed to `onStatistics`, or with running averages. */
export type NormalisationMode =
  | { readonly training: true; readonly onStatistics: (layer: string, statistics: BatchStatistics) => void }
  | { readonly training: false; readonly running: ParameterVector };

interface ConvolutionSpec {
  readonly name: string;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
  readonly groups: number;
  readonly channelsIn: number;
  readonly channelsOut: number;
  /** The batch normalisation that follows it. */
  readonly norm: string;
}

interface BlockSpec {
  /** In order; a ReLU stands between each two, and after the sum. */
  readonly convolutions: readonly ConvolutionSpec[];
  readonly downsample: ConvolutionSpec | undefined;
}

interface ResNetSpec {
  readonly stem: ConvolutionSpec;
  readonly maxPool: boolean;
  readonly blocks: readonly BlockSpec[];
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
 * @throws InputError if the width gives a ResNeXt's groups no whole number of channels, as do all functions here
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

/** The running averages of the network's batch normalisations, in torchvision's order and names. */
export function resNetRunningAverages(config: ResNetConfig): TensorEntry[] {
  return convolutionsOf(specify(config)).flatMap(({ norm, channelsOut }) => [
    { name: `${norm}.running_mean`, shape: [channelsOut] },
    { name: `${norm}.running_var`, shape: [channelsOut] },
  ]);
}

/**
 * Forward pass.
 *
 * @param images - [N, H, W, 3], normalised
 * @returns pooled features, [N, featureCount]
 */
export function resNetFeatures(
  config: ResNetConfig,
  parameters: ParameterVector,
  images: tf.Tensor4D,
  mode: NormalisationMode,
): tf.Tensor2D {
  const network = specify(config);

  const convolveAndNormalise = (x: tf.Tensor4D, spec: ConvolutionSpec): tf.Tensor4D => {
    const y = conv2d(x, parameters.tensor(`${spec.name}.weight`), spec);
    const scale = parameters.tensor<tf.Tensor1D>(`${spec.norm}.weight`);
    const offset = parameters.tensor<tf.Tensor1D>(`${spec.norm}.bias`);
    if (mode.training) return batchNormTraining(y, scale, offset, (batch) => mode.onStatistics(spec.norm, batch));
    const mean = mode.running.tensor<tf.Tensor1D>(`${spec.norm}.running_mean`);
    const variance = mode.running.tensor<tf.Tensor1D>(`${spec.norm}.running_var`);
    return batchNormInference(y, scale, offset, mean, variance);
  };

  let x = relu(convolveAndNormalise(images, network.stem));
  if (network.maxPool) {
    // After a ReLU, padding with zeros is padding with minus infinity.
    const padded = tf.pad4d(x, [
      [0, 0],
      [1, 1],
      [1, 1],
      [0, 0],
    ]);
    x = tf.maxPool(padded, 3, 2, "valid");
  }
  for (const { convolutions, downsample } of network.blocks) {
    const shortcut = downsample === undefined ? x : convolveAndNormalise(x, downsample);
    let y = x;
    convolutions.forEach((convolution, index) => {
      y = convolveAndNormalise(index === 0 ? y : relu(y), convolution);
    });
    x = relu(tf.add(y, shortcut));
  }
  return tf.mean<tf.Tensor2D>(x, [1, 2]);
}

function specify({ architecture, width, stem }: ResNetConfig): ResNetSpec {
  const { blocks, bottleneck, groups, groupWidth } = layouts[architecture];
  const channelsPerGroup = (width * groupWidth) / 64;
  if (!Number.isInteger(channelsPerGroup)) {
    throw new InputError(
      `Cannot build ${architecture}: its width must be a multiple of ${64 / groupWidth}, so that each of its ${groups} ` +
        `groups has a whole number of channels, current value is ${width}`,
    );
  }
  const expansion = bottleneck ? 4 : 1;
  const specs: BlockSpec[] = [];
  let channels = width;
  blocks.forEach((count, stage) => {
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
  });
  return {
    stem: stem === "imagenet" ? convolution("conv1", 7, 2, 3, width) : convolution("conv1", 3, 1, 3, width),
    maxPool: stem === "imagenet",
    blocks: specs,
    featureCount: channels,
  };
}

function convolution(
  name: string,
  kernel: number,
  stride: number,
  channelsIn: number,
  channelsOut: number,
): ConvolutionSpec {
  const norm = name.replace(/conv(\d)$/, "bn$1");
  return { name, norm, kernel, stride, padding: (kernel - 1) / 2, groups: 1, channelsIn, channelsOut };
}

function convolutionsOf({ stem, blocks }: ResNetSpec): ConvolutionSpec[] {
  return [
    stem,
    ...blocks.flatMap(({ convolutions, downsample }) => [...convolutions, ...(downsample ? [downsample] : [])]),
  ];
}
