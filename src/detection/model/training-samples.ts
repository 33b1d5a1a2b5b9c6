import type { Random } from "../../engine/random";
import { encodeBoxes, roiBoxWeights, rpnBoxWeights } from "../structures/box-coding";
import { pairwiseIou } from "../structures/box-iou";
import { boxCount, joinArrays, selectBoxes, type Boxes } from "../structures/boxes";
import type { Annotation } from "../structures/detection-set";
import type { Mask } from "../structures/mask-rle";
import { matchBoxes, sampleBalanced, type MatchingRule } from "./matching";

/** The objects of one image that a detector is trained on. */
export interface GroundTruth {
  readonly boxes: Boxes;
  /** 0 to K - 1, one a box. */
  readonly classes: Int32Array;
  /** One a box; only where masks are trained. */
  readonly masks?: readonly Mask[];
}

/**
 * What detectron2 trains on: difficult objects too, but no crowds, and no box without area.
 *
 * @param masks - whether masks are trained; each object must have one then
 */
export function groundTruthOf(objects: readonly Annotation[], masks = false): GroundTruth {
  const trained = objects.filter(({ crowd, box: [x1, y1, x2, y2] }) => !crowd && x2 > x1 && y2 > y1);
  return {
    boxes: Float32Array.from(trained.flatMap(({ box }) => box)),
    classes: Int32Array.from(trained, ({ category }) => category),
    ...(masks && { masks: trained.map(({ mask }) => mask!) }),
  };
}

/** The anchors of one image that the RPN's losses are computed on. */
export interface AnchorSample {
  /** Positions of the anchors, objects first. */
  readonly indices: Int32Array;
  /** 1 for an object, 0 for background; one for each index. */
  readonly labels: Float32Array;
  /** Deltas from each object's anchor to its ground truth, [objects, 4]. */
  readonly deltas: Float32Array;
}

// Faster R-CNN, section 3.1.2, and detectron2's defaults.
const anchorRule: MatchingRule = { low: 0.3, high: 0.7, allowLowQuality: true };
const anchorPositiveFraction = 0.5;

/**
 * Matches anchors to ground truth and draws those that the RPN learns from, half of them objects if there are so many.
 *
 * @param anchors - of all levels, one after the other
 * @param count - how many to draw: 256 in detectron2
 */
export function sampleAnchors(anchors: Boxes, truth: GroundTruth, count: number, random: Random): AnchorSample {
  const matches = matchBoxes(pairwiseIou(truth.boxes, anchors), boxCount(anchors), anchorRule);
  const { positives, negatives } = sampleBalanced(matches.labels, count, anchorPositiveFraction, random);
  return {
    indices: joinIndices(positives, negatives),
    labels: new Float32Array(positives.length + negatives.length).fill(1, 0, positives.length),
    deltas: encodeBoxes(
      selectBoxes(anchors, positives),
      selectBoxes(truth.boxes, matched(matches.groundTruth, positives)),
      rpnBoxWeights,
    ),
  };
}

/** The regions of interest of one image that the box head is trained on. */
export interface RoiSample {
  /** Objects first. */
  readonly boxes: Boxes;
  /** 0 to K - 1 for an object, K for background; one a box. */
  readonly classes: Int32Array;
  /** Which ground truth each object is, one for each object. */
  readonly groundTruth: Int32Array;
  /** Deltas from each object's region to its ground truth, [objects, 4]. */
  readonly deltas: Float32Array;
}

// Fast R-CNN, section 2.3, with detectron2's defaults: whatever is not an object is background.
const roiRule: MatchingRule = { low: 0.5, high: 0.5, allowLowQuality: false };
const roiPositiveFraction = 0.25;

/** The most regions on objects of an image among `count` that the box head is trained on; at least 1. */
export function mostObjectRois(count: number): number {
  return Math.max(1, Math.floor(count * roiPositiveFraction));
}

/**
 * Matches proposals to ground truth and draws those that the box head learns from, at most a quarter of them objects.
 * The ground truth itself is put among the proposals, so that there are objects to learn from in the beginning.
 *
 * @param classes - K
 * @param count - how many to draw: 512 in detectron2
 */
export function sampleRois(
  proposals: Boxes,
  truth: GroundTruth,
  classes: number,
  count: number,
  random: Random,
): RoiSample {
  const boxes = joinArrays([proposals, truth.boxes]);
  const matches = matchBoxes(pairwiseIou(truth.boxes, boxes), boxCount(boxes), roiRule);
  const { positives, negatives } = sampleBalanced(matches.labels, count, roiPositiveFraction, random);
  const groundTruth = matched(matches.groundTruth, positives);
  const objects = selectBoxes(boxes, positives);
  return {
    boxes: joinArrays([objects, selectBoxes(boxes, negatives)]),
    classes: joinIndices(
      groundTruth.map((index) => truth.classes[index]!),
      new Int32Array(negatives.length).fill(classes),
    ),
    groundTruth,
    deltas: encodeBoxes(objects, selectBoxes(truth.boxes, groundTruth), roiBoxWeights),
  };
}

function matched(groundTruth: Int32Array, positions: Int32Array): Int32Array {
  return positions.map((position) => groundTruth[position]!);
}

function joinIndices(first: Int32Array, second: Int32Array): Int32Array {
  return Int32Array.of(...first, ...second);
}
