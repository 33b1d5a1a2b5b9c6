import type { tf } from "../../engine/tf";
import type { NormalizationMode } from "../../nn/resnet";
import type { ResNetConfig } from "../../nn/resnet-layout";
import type { Boxes } from "../structures/boxes";
import type { Detector } from "./detector";
import type { DetectorConfig } from "../detector-config";
import type { NewTensor } from "./initial-values";

/** One of the feature maps that anchors stand on. */
export interface FeatureLevel {
  /** Pixels of the image between neighbors of the map. */
  readonly stride: number;
  /** Sides of its square anchors, in pixels of the image. */
  readonly anchorSizes: readonly number[];
}

/** What an architecture makes of regions; each part when it is asked for. */
export interface RegionFeatures {
  /** For the box predictors, image after image, [R, vectorLength]. */
  readonly vectors: () => tf.Tensor2D;
  /**
   * For the mask head, of some of the regions, [P, S / 2, S / 2, channels].
   *
   * @param chosen - their positions among all regions, rising
   */
  readonly maskMaps: (chosen: Int32Array) => tf.Tensor4D;
}

/** What one detector has and another has not: the maps that regions are found on, and what is made of a region. */
export interface DetectorArchitecture {
  /** Its name in the paper's tables. */
  readonly title: string;
  /** The maps that the RPN sees, from the finest to the coarsest. */
  readonly levels: (config: DetectorConfig) => readonly FeatureLevel[];
  /** Channels of each map. */
  readonly channels: (backbone: ResNetConfig) => number;
  /** Length of the vector that a region becomes. */
  readonly vectorLength: (backbone: ResNetConfig) => number;
  /** Its layers beside the backbone, the RPN's head and the predictors. */
  readonly parameters: (config: DetectorConfig) => readonly NewTensor[];
  /** Running averages of the batch normalizations among them. */
  readonly running: (config: DetectorConfig) => readonly NewTensor[];
  /**
   * The maps of the levels.
   *
   * @param images - [N, H, W, 3], normalized
   * @returns [N, H / stride, W / stride, channels] each
   */
  readonly features: (detector: Detector, images: tf.Tensor4D, mode: NormalizationMode) => readonly tf.Tensor4D[];
  /**
   * What its layers make of regions.
   *
   * @param features - the maps of the levels
   * @param rois - the regions of each image, in its pixels
   */
  readonly regions: (
    detector: Detector,
    features: readonly tf.Tensor4D[],
    rois: readonly Boxes[],
    mode: NormalizationMode,
  ) => RegionFeatures;
}
