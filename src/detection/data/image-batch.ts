import { tf } from "../../engine/tf";
import type { Size } from "../structures/boxes";

/** Images of different sizes in one tensor. The caller disposes it. */
export interface ImageBatch {
  /** [N, H, W, 3], normalized; H and W are those of the highest and the widest image. */
  readonly images: tf.Tensor4D;
  /** Size of each image in the upper left corner of its plane; the rest is 0, which is the mean color. */
  readonly sizes: readonly Size[];
}

/**
 * Puts images into one batch, as detectron2's ImageList does: zeros at the right and at the bottom.
 *
 * @param unequal - [height, width, 3] each, normalized; at least one; the caller keeps them
 */
export function batchImages(unequal: readonly tf.Tensor3D[]): ImageBatch {
  const sizes = unequal.map(({ shape: [height, width] }) => ({ height, width }));
  const { height, width } = paddedSize(sizes);
  const images = tf.tidy(() =>
    tf.stack(
      unequal.map((image, index) =>
        tf.pad3d(image, [
          [0, height - sizes[index]!.height],
          [0, width - sizes[index]!.width],
          [0, 0],
        ]),
      ),
    ),
  ) as tf.Tensor4D;
  return { images, sizes };
}

/** Height of the highest and width of the widest image of a batch. */
export function paddedSize(sizes: readonly Size[]): Size {
  return {
    height: Math.max(...sizes.map((size) => size.height)),
    width: Math.max(...sizes.map((size) => size.width)),
  };
}
