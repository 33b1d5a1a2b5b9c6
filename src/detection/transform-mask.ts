import type { Size } from "./boxes";
import { decodeMask, encodeMask, type Mask } from "./mask-rle";

/**
 * The mask of an object in a picture that was resized and perhaps mirrored left to right: outlines move, and of run lengths
 * each pixel takes the nearest one's value (detectron2's `apply_segmentation`).
 */
export function transformMask(mask: Mask, from: Size, to: Size, mirrored: boolean): Mask {
  if (!("counts" in mask)) {
    const [across, down] = [to.width / from.width, to.height / from.height];
    const moved = (value: number, position: number) => {
      if (position % 2 === 1) return value * down;
      return mirrored ? to.width - value * across : value * across;
    };
    return mask.map((polygon) => polygon.map(moved));
  }
  const source = decodeMask(mask);
  const resized = new Uint8Array(to.height * to.width);
  for (let y = 0; y < to.height; y++) {
    const row = Math.floor(((y + 0.5) * from.height) / to.height) * from.width;
    for (let x = 0; x < to.width; x++) {
      const column = Math.floor(((x + 0.5) * from.width) / to.width);
      resized[y * to.width + (mirrored ? to.width - 1 - x : x)] = source[row + column]!;
    }
  }
  return encodeMask(resized, to.height, to.width);
}
