import type { ResNetConfig } from "../nn/resnet-layout";

/** How many boxes the region proposal network hands on; detectron2's names are PRE_NMS_TOPK and POST_NMS_TOPK. */
export interface ProposalLimits {
  /** The best of each level that go into non-maximum suppression. */
  readonly beforeNms: number;
  /** The best over all levels that come out. */
  readonly afterNms: number;
}

/** What defines a Faster R-CNN, or with masks a Mask R-CNN. */
export interface DetectorConfig {
  readonly arch: "c4" | "dc5" | "fpn";
  readonly backbone: ResNetConfig;
  /** K, without background. */
  readonly classes: number;
  /**
   * Sides of the square anchors, in pixels of the image; with FPN those of P2 to P6. With them goes the size of the regions
   * that FPN aligns on P4: 224 where its anchors have 128, as in detectron2, else in proportion.
   */
  readonly anchorSizes: readonly number[];
  readonly proposals: { readonly training: ProposalLimits; readonly inference: ProposalLimits };
  /** How many anchors of an image the RPN learns from in a step. */
  readonly anchorsPerImage: number;
  /** How many regions of an image the box head learns from in a step. */
  readonly roisPerImage: number;
  /** Side of RoIAlign's output; C4's res5 halves it, FPN's mask head has twice as much. */
  readonly roiResolution: number;
  /** Whether the masks of objects are predicted too (Mask R-CNN). */
  readonly masks?: true | undefined;
  /** How many detections of an image are kept. @default 100 */
  readonly detectionsPerImage?: number | undefined;
}

/** detectron2's defaults for C4, which the official detection configurations keep (`detectron2/config/defaults.py`). */
export const c4Defaults = {
  anchorSizes: [32, 64, 128, 256, 512],
  proposals: {
    training: { beforeNms: 12000, afterNms: 2000 },
    inference: { beforeNms: 6000, afterNms: 1000 },
  },
  anchorsPerImage: 256,
  roisPerImage: 512,
  roiResolution: 14,
} as const satisfies Partial<DetectorConfig>;

/** Those for dilated C5 (`Base-RCNN-DilatedC5.yaml`): the fully connected box head has a smaller RoIAlign. */
export const dilatedC5Defaults = { ...c4Defaults, roiResolution: 7 } as const;

/** Those for FPN (`Base-RCNN-FPN.yaml`). */
export const fpnDefaults = {
  ...dilatedC5Defaults,
  proposals: {
    training: { beforeNms: 2000, afterNms: 1000 },
    inference: { beforeNms: 1000, afterNms: 1000 },
  },
} as const;
