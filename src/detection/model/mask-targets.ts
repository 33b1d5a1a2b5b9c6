import { tf } from "../../engine/tf";
import { selectBoxes, type Boxes, type Size } from "../structures/boxes";
import { decodeMask, type Mask } from "../structures/mask-rle";
import { rleOf } from "../structures/polygon-mask";
import { roiAlign } from "./roi-align";

/**
 * What the masks of regions are trained to be: of its object's bitmap, each region is cut out and resized by RoIAlign, and is
 * 1 from a half on (detectron2's `BitMasks.crop_and_resize`).
 *
 * @param masks - of the objects of one image
 * @param image - its size
 * @param regions - P boxes in its pixels
 * @param groundTruth - which object each region is, [P]
 * @param side - of the masks
 * @returns 1 or 0, [P, side, side]
 */
export function maskTargets(
  masks: readonly Mask[],
  { height, width }: Size,
  regions: Boxes,
  groundTruth: Int32Array,
  side: number,
): Float32Array {
  const targets = new Float32Array(groundTruth.length * side ** 2);
  for (const [index, mask] of masks.entries()) {
    const positions = Int32Array.from(groundTruth.keys()).filter((position) => groundTruth[position] === index);
    if (positions.length === 0) continue;
    const shares = tf.tidy(() => {
      const bitmap = tf.tensor4d(decodeMask(rleOf(mask, height, width)), [1, height, width, 1], "float32");
      const options = { resolution: side, scale: 1, samplingRatio: 0 };
      return roiAlign(bitmap, [selectBoxes(regions, positions)], options);
    });
    const values = shares.dataSync<"float32">();
    shares.dispose();
    positions.forEach((position, place) => {
      for (let at = 0; at < side ** 2; at++) {
        targets[position * side ** 2 + at] = Number(values[place * side ** 2 + at]! >= 0.5);
      }
    });
  }
  return targets;
}
