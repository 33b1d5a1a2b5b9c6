import { gzipSync } from "node:zlib";
import { z } from "zod";
import { parseCocoMask } from "../../detection/structures/coco-mask";
import type { DetectionSet } from "../../detection/structures/detection-set";
import { compressCounts } from "../../detection/structures/mask-string";
import { readJson } from "../../files/checked-json";
import { InputError } from "../../errors";
import { replaceFile } from "../../files/replace-file";

const testSetSchema = z.object({
  name: z.string(),
  categories: z.array(z.object({ id: z.number(), name: z.string() })),
  images: z.array(
    z.object({
      id: z.union([z.string(), z.number()]),
      fileName: z.string(),
      width: z.number(),
      height: z.number(),
      objects: z.array(
        z.object({
          box: z.tuple([z.number(), z.number(), z.number(), z.number()]),
          category: z.number(),
          difficult: z.boolean(),
          crowd: z.boolean(),
          area: z.number(),
          /** As COCO's `segmentation`. */
          mask: z.unknown(),
        }),
      ),
    }),
  ),
});

/** Writes the annotations of a test part, packed: predictions of it can be read without its images. */
export function writeTestSet(path: string, { name, categories, images }: DetectionSet): void {
  const written = images.map(({ objects, ...image }) => ({
    ...image,
    objects: objects.map(({ mask, ...object }) => ({
      ...object,
      ...(mask && { mask: "counts" in mask ? { size: mask.size, counts: compressCounts(mask.counts) } : mask }),
    })),
  }));
  // Parsed, so that no field goes along that only one kind of set has.
  const content = testSetSchema.parse({ name, categories, images: written });
  replaceFile(path, gzipSync(JSON.stringify(content), { level: 9 }));
}

/**
 * Reads what {@link writeTestSet} wrote. Its pixels cannot be read.
 *
 * @throws InputError if the file cannot be read or is another, naming the first field that is wrong
 */
export function readTestSet(path: string): DetectionSet {
  const parsed = testSetSchema.safeParse(readJson(path));
  if (!parsed.success) {
    const { path: field, message } = parsed.error.issues[0]!;
    throw new InputError(`Cannot read ${path}: ${field.join(".")}: ${message}`);
  }
  const images = parsed.data.images.map((image) => ({
    ...image,
    objects: image.objects.map(({ mask, ...object }, index) => {
      if (mask === undefined) return object;
      const read = parseCocoMask(mask, image.height, image.width);
      if (!("must" in read)) return { ...object, ...(read.mask && { mask: read.mask }) };
      throw new InputError(
        `Cannot read ${path}: the mask of object ${index} of ${image.fileName}: ${read.field.slice(1)} must ${read.must}, ` +
          `current value is ${JSON.stringify(read.value)}`,
      );
    }),
  }));
  const readPixels = () => Promise.reject(new InputError(`Cannot read pixels: ${path} has annotations alone`));
  return { ...parsed.data, images, readPixels };
}
