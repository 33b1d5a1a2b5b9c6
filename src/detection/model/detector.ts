import { InputError } from "../../errors";
import type { Random } from "../../engine/random";
import { tf } from "../../engine/tf";
import type { Encoder } from "../../nn/encoder";
import { flatten, ParameterVector, type TensorEntry } from "../../nn/parameters";
import { resNetParameters, resNetRunningAverages } from "../../nn/resnet-layout";
import { c4 } from "./c4";
import type { DetectorConfig } from "../detector-config";
import type { DetectorArchitecture, FeatureLevel } from "./detector-architecture";
import { dilatedC5 } from "./dilated-c5";
import { fpn } from "./fpn";
import { initialTensor, newLayer, type NewTensor } from "./initial-values";
import { rpnHeadParameters } from "./rpn-head";

const architectures: Readonly<Record<DetectorConfig["arch"], DetectorArchitecture>> = { c4, dc5: dilatedC5, fpn };

/** Height / width of the anchors of each size (Faster R-CNN, section 3.1.1). */
export const anchorAspectRatios = [0.5, 1, 2] as const;

/** Weights and running averages of a detector. Owns its tensors: call {@link disposeDetector}. */
export interface Detector {
  readonly config: DetectorConfig;
  /** The backbone's tensors under torchvision's names, those of the heads under detectron2's. All are trained. */
  readonly parameters: ParameterVector;
  /** Running mean and variance of each batch normalization. */
  readonly running: ParameterVector;
}

/** The parts of a detector that depend on its architecture. */
export function architectureOf({ arch }: Pick<DetectorConfig, "arch">): DetectorArchitecture {
  return architectures[arch];
}

/** The trainable tensors: the backbone's, the RPN's, the box head's and the predictors'. */
export function detectorParameters(config: DetectorConfig): TensorEntry[] {
  return [...resNetParameters(config.backbone), ...headParameters(config)];
}

/** The running averages of the batch normalizations. */
export function detectorRunningAverages(config: DetectorConfig): TensorEntry[] {
  return [...resNetRunningAverages(config.backbone), ...architectureOf(config).running(config)];
}

function headParameters(config: DetectorConfig): NewTensor[] {
  const { backbone, classes } = config;
  const architecture = architectureOf(config);
  const length = architecture.vectorLength(backbone);
  const [{ anchorSizes }] = architecture.levels(config) as [FeatureLevel];
  return [
    ...rpnHeadParameters(architecture.channels(backbone), anchorSizes.length * anchorAspectRatios.length),
    ...architecture.parameters(config),
    ...newLayer("box_predictor.cls_score", [length, classes + 1], { normal: 0.01 }),
    ...newLayer("box_predictor.bbox_pred", [length, 4 * classes], { normal: 0.001 }),
  ];
}

/**
 * A detector with the backbone of an encoder, pre-trained or random, and newly initialized heads (detectron2's values: normal
 * with deviation 0.01, 0.001 for the box deltas).
 *
 * @param encoder - its weights and running averages are copied; its own head is left out
 * @throws InputError if the encoder's network is another than the configuration's backbone
 */
export function createDetector(config: DetectorConfig, encoder: Encoder, random: Random): Detector {
  for (const key of ["architecture", "width", "stem"] as const) {
    if (encoder.config[key] !== config.backbone[key]) {
      throw new InputError(
        `Cannot put the encoder into the detector: its ${key} must be ${config.backbone[key]}, current value is ${encoder.config[key]}`,
      );
    }
  }
  const { backbone } = config;
  const parameters = joined(encoder.parameters, resNetParameters(backbone), headParameters(config), random);
  const newRunning = architectureOf(config).running(config);
  const running = joined(encoder.running, resNetRunningAverages(backbone), newRunning, random);
  return { config, parameters, running };
}

export function disposeDetector({ parameters, running }: Detector): void {
  parameters.dispose();
  running.dispose();
}

/** Tensors of an encoder and new ones after them, in one vector. */
function joined(
  encoder: ParameterVector,
  kept: readonly TensorEntry[],
  added: readonly NewTensor[],
  random: Random,
): ParameterVector {
  const values = tf.tidy(() =>
    flatten([...kept.map(({ name }) => encoder.tensor(name)), ...added.map((entry) => initialTensor(entry, random))]),
  );
  return new ParameterVector([...kept, ...added], values);
}
