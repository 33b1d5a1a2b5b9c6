import { tf } from "../../engine/tf";
import { boxCount, selectBoxes, type Boxes } from "../structures/boxes";
import { roiAlign } from "./roi-align";

/** A map of the pyramid that regions are aligned on. */
export interface PyramidMap {
  /** [N, H / stride, W / stride, C] */
  readonly map: tf.Tensor4D;
  readonly stride: number;
}

/** Level that a region of the canonical size is aligned on (FPN, section 4.2), and the finest and the coarsest. */
const [canonicalLevel, finest, coarsest] = [4, 2, 5];

/**
 * On which level each region is aligned: the larger, the coarser (FPN, equation 1).
 *
 * @param canonicalSize - side of the squares that belong to level 4
 * @returns 2 to 5
 */
export function pyramidLevels(boxes: Boxes, canonicalSize: number): Int32Array {
  return Int32Array.from({ length: boxCount(boxes) }, (_, index) => {
    const [width, height] = [0, 1].map((axis) => boxes[4 * index + 2 + axis]! - boxes[4 * index + axis]!);
    const size = Math.sqrt(width! * height!);
    // detectron2's epsilon keeps the logarithm of a region without area finite.
    const level = Math.floor(canonicalLevel + Math.log2(size / canonicalSize + 1e-8));
    return Math.min(Math.max(level, finest), coarsest);
  });
}

/**
 * RoIAlign of each region on its level.
 *
 * @param maps - of levels 2 to 5
 * @param rois - the regions of each image, in its pixels
 * @param canonicalSize - see {@link pyramidLevels}
 * @returns image after image, [R, resolution, resolution, C]
 */
export function alignOnPyramid(
  maps: readonly PyramidMap[],
  rois: readonly Boxes[],
  canonicalSize: number,
  resolution: number,
): tf.Tensor4D {
  const levels = rois.map((boxes) => pyramidLevels(boxes, canonicalSize));
  const places: number[] = [];
  return tf.tidy(() => {
    const aligned = maps.map(({ map, stride }, index) => {
      let first = 0;
      const ofLevel = rois.map((boxes, image) => {
        const positions = [...levels[image]!.keys()].filter((at) => levels[image]![at] === finest + index);
        for (const at of positions) places.push(first + at);
        first += boxCount(boxes);
        return selectBoxes(boxes, positions);
      });
      return roiAlign(map, ofLevel, { resolution, scale: 1 / stride, samplingRatio: 0 });
    });
    const inOrder = new Int32Array(places.length);
    places.forEach((place, row) => (inOrder[place] = row));
    return tf.gather(tf.concat4d(aligned, 0), tf.tensor1d(inOrder, "int32"));
  });
}
