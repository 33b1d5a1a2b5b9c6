import type { tf } from "../engine/tf";
import type { NormalisationMode } from "../nn/resnet";
import type { ResNetConfig } from "../nn/resnet-layout";
import type { Boxes } from "./boxes";
import type { Detector, DetectorConfig } from "./detector";
import type { NewTensor } from "./initial-values";

/** Regions as the predictors take them, picture after picture. */
export interface RegionFeatures {
  /** For the box predictors, [R, vectorLength]. */
  readonly vectors: tf.Tensor2D;
  /** For the mask head, [R, S / 2, S / 2, channels], where the architecture has one. */
  readonly maps: tf.Tensor4D | undefined;
}

/** What one detector has and another has not: the map that regions are found on, and what is made of a region. */
export interface DetectorArchitecture {
  /** Its name in the paper's tables. */
  readonly title: string;
  /** Pixels of the picture between neighbours of the feature map. */
  readonly stride: (backbone: ResNetConfig) => number;
  /** Channels of the feature map. */
  readonly channels: (backbone: ResNetConfig) => number;
  /** Length of the vector that a region becomes. */
  readonly vectorLength: (backbone: ResNetConfig) => number;
  /** Its layers beside the backbone, the RPN's head and the predictors. */
  readonly parameters: (config: DetectorConfig) => readonly NewTensor[];
  /** Running averages of the batch normalisations among them. */
  readonly running: (config: DetectorConfig) => readonly NewTensor[];
  /**
   * The feature map: what the RPN and RoIAlign see.
   *
   * @param images - [N, H, W, 3], normalised
   * @returns [N, H / stride, W / stride, channels]
   */
  readonly features: (detector: Detector, images: tf.Tensor4D, mode: NormalisationMode) => tf.Tensor4D;
  /**
   * What its layers make of regions.
   *
   * @param rois - the regions of each picture, in its pixels
   */
  readonly regions: (
    detector: Detector,
    features: tf.Tensor4D,
    rois: readonly Boxes[],
    mode: NormalisationMode,
  ) => RegionFeatures;
}
