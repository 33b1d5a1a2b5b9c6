import { tf } from "../engine/tf";
import type { Size } from "./boxes";

/** Pictures of different sizes in one tensor. The caller disposes it. */
export interface PictureBatch {
  /** [N, H, W, 3], normalised; H and W are those of the highest and the widest picture. */
  readonly images: tf.Tensor4D;
  /** Size of each picture in the upper left corner of its plane; the rest is 0, which is the mean colour. */
  readonly sizes: readonly Size[];
}

/**
 * Puts pictures into one batch, as detectron2's ImageList does: zeros at the right and at the bottom.
 *
 * @param pictures - [height, width, 3] each, normalised; at least one; the caller keeps them
 */
export function batchPictures(pictures: readonly tf.Tensor3D[]): PictureBatch {
  const sizes = pictures.map(({ shape: [height, width] }) => ({ height, width }));
  const height = Math.max(...sizes.map((size) => size.height));
  const width = Math.max(...sizes.map((size) => size.width));
  const images = tf.tidy(() =>
    tf.stack(
      pictures.map((picture, index) =>
        tf.pad3d(picture, [
          [0, height - sizes[index]!.height],
          [0, width - sizes[index]!.width],
          [0, 0],
        ]),
      ),
    ),
  ) as tf.Tensor4D;
  return { images, sizes };
}
