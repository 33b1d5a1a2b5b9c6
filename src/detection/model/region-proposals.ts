import type { ProposalLimits } from "../detector-config";
import { DivergedError } from "../../errors";
import { decodeBoxes, rpnBoxWeights } from "../structures/box-coding";
import { clipBoxes, joinArrays, nonEmptyBoxes, selectBoxes, type Boxes, type Size } from "../structures/boxes";
import { nonMaxSuppression, rankByScore } from "../structures/nms";

/** What the RPN's head says of one image on one level. */
export interface LevelPrediction {
  /** [A] boxes. */
  readonly anchors: Boxes;
  /** Logits, [A]. */
  readonly objectness: Float32Array;
  /** [A, 4] */
  readonly deltas: Float32Array;
}

/** Boxes that may hold an object, from the highest score to the lowest. */
export interface Proposals {
  readonly boxes: Boxes;
  /** Objectness logits. */
  readonly scores: Float32Array;
}

/** IoU above which one proposal suppresses another (Faster R-CNN, section 3.3). */
const proposalNmsThreshold = 0.7;

/**
 * The region proposals of one image, as detectron2 finds them: of each level the boxes of the highest scores, clipped to
 * the image, without empty ones, thinned by non-maximum suppression within the level.
 *
 * @param image - size of this image without the padding of its batch
 * @throws DivergedError if a score or box is not finite
 */
export function proposeRegions(
  levels: readonly LevelPrediction[],
  image: Size,
  { beforeNms, afterNms }: ProposalLimits,
): Proposals {
  const candidates = levels.map((level) => bestBoxes(level, image, beforeNms));
  const boxes = joinArrays(candidates.map((one) => one.boxes));
  const scores = joinArrays(candidates.map((one) => one.scores));
  const groups = Int32Array.from(candidates.flatMap((one, level) => Array<number>(one.scores.length).fill(level)));
  const kept = nonMaxSuppression(boxes, scores, { threshold: proposalNmsThreshold, limit: afterNms, groups });
  return { boxes: selectBoxes(boxes, kept), scores: selectScores(scores, kept) };
}

function bestBoxes({ anchors, objectness, deltas }: LevelPrediction, image: Size, limit: number): Proposals {
  const best = rankByScore(objectness, limit);
  const scores = selectScores(objectness, best);
  const boxes = decodeBoxes(selectBoxes(deltas, best), selectBoxes(anchors, best), rpnBoxWeights);
  assertFinite(scores);
  assertFinite(boxes);
  const clipped = clipBoxes(boxes, image);
  const kept = nonEmptyBoxes(clipped);
  return { boxes: selectBoxes(clipped, kept), scores: selectScores(scores, kept) };
}

function selectScores(scores: Float32Array, indices: Int32Array): Float32Array {
  return Float32Array.from(indices, (index) => scores[index]!);
}

function assertFinite(values: Float32Array): void {
  if (!values.every(Number.isFinite)) {
    throw new DivergedError("Cannot propose regions: a score or a box is not a finite number; training has diverged");
  }
}
