import { cropMaps, resample } from "../../data/resample";
import { tf } from "../../engine/tf";
import { clipBoxes, type Size } from "../structures/boxes";
import type { ImageRecipe } from "../detection-recipe";
import type { GroundTruth } from "../model/training-samples";
import { transformMask } from "../structures/transform-mask";

/**
 * The size of an image whose shorter side becomes `shortest`, or less, so that the longer one is at most `longest`
 * (detectron2's ResizeShortestEdge).
 */
export function resizedSize({ height, width }: Size, shortest: number, longest: number): Size {
  const wanted = shortest / Math.min(height, width);
  const scale = Math.min(wanted, longest / Math.max(height, width));
  const length = (side: number) => Math.max(1, Math.floor(side * scale + 0.5));
  return { height: length(height), width: length(width) };
}

/**
 * Resizes an image as PIL does (bilinear, antialiased), mirrors it left to right if asked, and normalizes it.
 *
 * @param pixels - [height, width, 3] bytes
 * @returns [to.height, to.width, 3]
 */
export function prepareImage(
  pixels: Uint8Array,
  from: Size,
  to: Size,
  mirrored: boolean,
  { mean, std }: Pick<ImageRecipe, "mean" | "std">,
): tf.Tensor3D {
  const side = (before: number, after: number, flip: boolean) =>
    cropMaps(Int32Array.of(0), Int32Array.of(before), Uint8Array.of(Number(flip)), before, after);
  return tf.tidy(() => {
    const channelsFirst = tf.tensor4d(pixels, [1, from.height, from.width, 3], "float32").transpose([0, 3, 1, 2]);
    const rows = side(from.height, to.height, false);
    const columns = side(from.width, to.width, mirrored);
    const resized = resample(channelsFirst as tf.Tensor4D, rows, columns);
    const image = tf.squeeze<tf.Tensor3D>(resized.transpose([0, 2, 3, 1]), [0]);
    return tf.div(tf.sub(tf.div(image, 255), tf.tensor1d(mean)), tf.tensor1d(std));
  });
}

/** The objects of an image that was resized and perhaps mirrored, as far as they lie in it (detectron2). */
export function transformTruth(truth: GroundTruth, from: Size, to: Size, mirrored: boolean): GroundTruth {
  const { boxes, classes, masks } = truth;
  const [across, down] = [to.width / from.width, to.height / from.height];
  const moved = clipBoxes(boxes, from).map((value, position) => value * (position % 2 === 0 ? across : down));
  if (mirrored) {
    for (let at = 0; at < moved.length; at += 4) {
      const [left, right] = [moved[at]!, moved[at + 2]!];
      moved[at] = to.width - right;
      moved[at + 2] = to.width - left;
    }
  }
  return {
    boxes: moved,
    classes,
    ...(masks && { masks: masks.map((mask) => transformMask(mask, from, to, mirrored)) }),
  };
}
