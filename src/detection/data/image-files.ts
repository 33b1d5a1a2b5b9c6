import { join, posix } from "node:path";
import sharp from "sharp";
import { foldersOf, walk } from "../../data/folder-tree";
import { openImage } from "../../data/open-image";
import { InputError } from "../../errors";
import type { DetectionImage } from "../structures/detection-set";

/** sharp's own limit for an image; a larger annotated size cannot be true. */
export const maximumPixels = 0x3fff * 0x3fff;

/** The files of a folder and the folders in it, as paths below it with "/". Throws an `InputError` when there is no such folder. */
export async function filesBelow(folder: string): Promise<ReadonlySet<string>> {
  const below = new Set<string>();
  for (const [path, { files, hidden }] of foldersOf(await walk(folder))) {
    if (path !== "") below.add(path);
    for (const name of [...files, ...hidden]) below.add(posix.join(path, name));
  }
  return below;
}

/** Images whose headers are read at a time. */
const openedTogether = 64;

/**
 * Compares sizes in the headers of images, turned as their EXIF data say, with the annotated ones.
 *
 * @param folder - of the images, below `root`
 * @returns what is wrong, each with the path below `root`
 */
export async function wrongSizes(
  root: string,
  folder: string,
  images: readonly DetectionImage[],
): Promise<readonly string[]> {
  const faults: string[] = [];
  for (let start = 0; start < images.length; start += openedTogether) {
    const batch = images.slice(start, start + openedTogether);
    const found = await Promise.all(
      batch.map((image) => wrongSize(join(root, folder, image.fileName), `${folder}/${image.fileName}`, image)),
    );
    faults.push(...found.filter((fault) => fault !== undefined));
  }
  return faults;
}

async function wrongSize(path: string, shown: string, { width, height }: DetectionImage): Promise<string | undefined> {
  const metadata = await sharp(path)
    .metadata()
    .catch((error: unknown) => (error instanceof Error ? error.message.trim() : String(error)));
  if (typeof metadata === "string") return `${shown}: must be an image: ${metadata}`;
  const turned = metadata.autoOrient;
  if (turned.width === width && turned.height === height) return undefined;
  const fault = `${shown}: must be as its annotation says, ${width} x ${height}, current size is ${turned.width} x ${turned.height}`;
  return metadata.width === width && metadata.height === height
    ? `${fault}, since its EXIF data turn it (orientation ${metadata.orientation}), and the annotation is of the image ` +
        "before; remove the orientation from its EXIF data, or turn the annotation"
    : fault;
}

/**
 * Reads images of a folder: [height, width, 3] bytes, red, green, blue. As detectron2, it turns an image as its EXIF data
 * say, drops transparency, applies no color profile, and refuses one whose size is not the annotated one.
 */
export function pixelReader(folder: string): (image: DetectionImage) => Promise<Uint8Array> {
  return async ({ fileName, width, height }) => {
    const path = join(folder, fileName);
    const { data, info } = await openImage(path, { turned: true })
      .then((image) => image.removeAlpha().raw().toBuffer({ resolveWithObject: true }))
      .catch((cause: unknown) => {
        const reason = cause instanceof Error ? cause.message.trim() : String(cause);
        throw new InputError(`Cannot decode the image: replace ${path}: ${reason}`, { cause });
      });
    if (info.width !== width || info.height !== height) {
      throw new InputError(
        `Cannot use the image: ${path} must be as its annotation says, ${width} x ${height}, current size is ${info.width} x ${info.height}`,
      );
    }
    return data;
  };
}
