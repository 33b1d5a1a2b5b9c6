import sharp from "sharp";
import type { tf } from "../engine/tf";
import { showOutput } from "./output";

// Pictures of 32 px are hard to see as they are.
const enlargement = 2;

/**
 * Shows pictures below the cell, side by side.
 *
 * @param pictures - [N, size, size, 3], 0 to 1 (clipped)
 * @param options.columns - pictures in a row
 * @param options.text - what they are: shown where a viewer draws no pictures
 */
export async function showPictures(
  pictures: tf.Tensor4D,
  options: { readonly columns: number; readonly text: string },
): Promise<void> {
  const [count, size] = pictures.shape;
  const { columns, text } = options;
  const rows = Math.ceil(count / columns);
  const values = await pictures.data<"float32">();
  const width = columns * size;
  const sheet = Buffer.alloc(rows * size * width * 3, 255);
  for (let picture = 0; picture < count; picture++) {
    const left = (picture % columns) * size;
    const top = Math.floor(picture / columns) * size;
    for (let y = 0; y < size; y++) {
      for (let offset = 0; offset < size * 3; offset++) {
        const value = values[(picture * size + y) * size * 3 + offset]!;
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
