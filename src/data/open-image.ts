import sharp, { type Sharp } from "sharp";
import type { DecodedImage } from "./make-view";

/** Options of {@link openImage}. */
export interface OpenImageOptions {
  /** Whether the image is turned as its EXIF data say. */
  readonly turned: boolean;
}

/**
 * Opens an image in red, green and blue of 8 bits, one of 8 bits without transparency as PIL's `convert("RGB")` does: an embedded color profile (ICC) is not
 * applied, and CMYK becomes RGB by (255 - C) (255 - K) / 255. So features are those of networks that were trained on
 * images read by torchvision or detectron2. Transparency is kept; of an animation the first image is taken. Of gray
 * of 16 bits the upper 8 are taken, where PIL cuts values at 255.
 *
 * @param file - its path, or its content
 * @throws Error if the image cannot be decoded
 */
export async function openImage(file: string | Buffer, { turned }: OpenImageOptions): Promise<Sharp> {
  const stored = sharp(file, { failOn: "error", ignoreIcc: true });
  const { space } = await stored.metadata();
  const image = turned ? stored.autoOrient() : stored;
  if (space !== "cmyk") return image.toColorspace("srgb");
  const { data, info } = await image
    .pipelineColourspace("cmyk")
    .toColorspace("cmyk")
    .raw()
    .toBuffer({ resolveWithObject: true });
  const { width, height } = info;
  return sharp(rgbOfCmyk(data, info.channels), { raw: { width, height, channels: 3 } });
}

/**
 * Decodes an image as torchvision's loader: EXIF orientation is not applied. Transparent images are laid on white.
 *
 * @param file - its path, or its content
 * @throws Error if the image cannot be decoded
 */
export async function decodeImage(file: string | Buffer): Promise<DecodedImage> {
  const image = (await openImage(file, { turned: false })).flatten({ background: "#ffffff" });
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  return { height: info.height, width: info.width, pixels: data };
}

/** PIL's conversion, with its rounding (src/libImaging/Convert.c, cmyk2rgb). */
function rgbOfCmyk(cmyk: Uint8Array, channels: number): Uint8Array {
  const count = cmyk.length / channels;
  const rgb = new Uint8Array(count * 3);
  for (let pixel = 0; pixel < count; pixel++) {
    const light = 255 - cmyk[pixel * channels + 3]!;
    for (let channel = 0; channel < 3; channel++) {
      const product = cmyk[pixel * channels + channel]! * light + 128;
      rgb[pixel * 3 + channel] = light - (((product >> 8) + product) >> 8);
    }
  }
  return rgb;
}
