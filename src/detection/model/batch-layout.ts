import type { DetectorConfig } from "../detector-config";
import type { Boxes, Size } from "../structures/boxes";
import { levelAnchors } from "./anchors";
import { defaultDetectionsPerImage } from "./detections";
import { anchorAspectRatios, architectureOf } from "./detector";
import type { AlignmentLayout } from "./region-alignment";
import { mostObjectRois } from "./training-samples";

/** Shape of a batch of images, padding included: [N, H, W, 3]. */
export type BatchShape = readonly [number, number, number, number];

/** What a detector makes of a batch's shape alone. */
export interface BatchLayout {
  readonly images: BatchShape;
  /**
   * The anchors of each level; also over the padding of smaller images, where they are background, as in detectron2.
   */
  readonly anchors: readonly Boxes[];
  /** How regions are aligned for the box head. */
  readonly regions: AlignmentLayout;
  /**
   * The same for the mask head: undefined where there is none, or where it takes what the box head has. In inference it
   * never does: masks are predicted of the boxes that were found, not of their regions.
   */
  readonly masks: AlignmentLayout | undefined;
}

export function batchLayout(config: DetectorConfig, images: BatchShape, use: "training" | "inference"): BatchLayout {
  const architecture = architectureOf(config);
  const [count, height, width] = images;
  const multiple = architecture.sizeDivisibility(config.backbone);
  const mapLength = (length: number, stride: number) => Math.ceil((Math.ceil(length / multiple) * multiple) / stride);
  const mapSize = (stride: number): Size => ({ height: mapLength(height, stride), width: mapLength(width, stride) });
  const levels = architecture.levels(config);
  const maps = levels.slice(0, architecture.alignedMaps).map(({ stride }) => ({ size: mapSize(stride), stride }));
  const aligned = (name: string, resolution: number, mostRegions: number): AlignmentLayout => {
    return { name, maps, images: count, resolution, mostRegions };
  };
  const { roiResolution, roisPerImage, proposals, detectionsPerImage = defaultDetectionsPerImage } = config;
  const ofMasks = architecture.maskResolution(config);
  const masks =
    use === "training"
      ? ofMasks !== undefined && aligned("mask", ofMasks, mostObjectRois(roisPerImage))
      : aligned("mask", ofMasks ?? roiResolution, detectionsPerImage);
  return {
    images,
    anchors: levels.map((level) => levelAnchors({ ...level, size: mapSize(level.stride) }, anchorAspectRatios)),
    regions: aligned("box", roiResolution, use === "training" ? roisPerImage : proposals.inference.afterNms),
    masks: (config.masks && masks) || undefined,
  };
}
