import sharp from "sharp";
import type { tf } from "../engine/tf";
import { showOutput } from "./output";

/**
 * Shows images below the cell, side by side.
 *
 * @param images - [N, size, size, 3], 0 to 1 (clipped)
 * @param options.columns - images in a row
 * @param options.text - what they are: shown where a viewer draws no images
 * @param options.enlargement - pixels of the screen for one of an image, a whole number. Images of 32 px are hard to see as
 *   they are. @default 2
 */
export async function showImages(
  images: tf.Tensor4D,
  options: { readonly columns: number; readonly text: string; readonly enlargement?: number },
): Promise<void> {
  const [count, size] = images.shape;
  const { columns, text, enlargement = 2 } = options;
  const rows = Math.ceil(count / columns);
  const values = await images.data<"float32">();
  const width = columns * size;
  const sheet = Buffer.alloc(rows * size * width * 3, 255);
  for (let image = 0; image < count; image++) {
    const left = (image % columns) * size;
    const top = Math.floor(image / columns) * size;
    for (let y = 0; y < size; y++) {
      for (let offset = 0; offset < size * 3; offset++) {
        const value = values[(image * size + y) * size * 3 + offset]!;
        sheet[((top + y) * width + left) * 3 + offset] = Math.round(255 * Math.min(1, Math.max(0, value)));
      }
    }
  }
  const png = await sharp(sheet, { raw: { width, height: rows * size, channels: 3 } })
    .resize(width * enlargement, rows * size * enlargement, { kernel: "nearest" })
    .png()
    .toBuffer();
  showOutput({ "image/png": png.toString("base64"), "text/plain": text });
}
