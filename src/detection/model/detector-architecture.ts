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

/** What an architecture makes of regions. */
export interface RegionFeatures {
  /** For the box predictors, [R, vectorLength]. */
  readonly vectors: tf.Tensor2D;
  /** What the mask head takes where it aligns no regions of its own, [R, S / 2, S / 2, channels]. */
  readonly maps: tf.Tensor4D;
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
   * Images count as padded to a multiple of this (detectron2's size_divisibility): a map is as high as they are, divided by
   * its stride and rounded up.
   */
  readonly sizeDivisibility: (backbone: ResNetConfig) => number;
  /** Side of RoIAlign's output for the mask head; undefined where it takes what the box head has. */
  readonly maskResolution: (config: DetectorConfig) => number | undefined;
  /** On how many of the maps, from the finest on, regions are aligned. */
  readonly alignedMaps: number;
  /** Which of them each region is aligned on. */
  readonly mapOf: (config: DetectorConfig, boxes: Boxes) => Int32Array;
  /** Whether {@link DetectorArchitecture.regions} normalizes, so that it has running averages. */
  readonly normalizesRegions: boolean;
  /**
   * What its layers make of regions.
   *
   * @param aligned - [R, roiResolution, roiResolution, channels]
   */
  readonly regions: (detector: Detector, aligned: tf.Tensor4D, mode: NormalizationMode) => RegionFeatures;
  /**
   * What comes before the mask predictor.
   *
   * @param maps - of some regions: aligned for the mask head, or {@link RegionFeatures.maps}
   * @returns [P, S / 2, S / 2, channels]
   * @throws InputError if it has no mask head
   */
  readonly maskMaps: (detector: Detector, maps: tf.Tensor4D) => tf.Tensor4D;
}
