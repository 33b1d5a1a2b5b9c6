import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { decodeText } from "../../data/decode-text";
import { InputError } from "../../errors";
import { noFaults, refuseFaults } from "./annotation-faults";
import { cocoImages } from "./coco-document";
import type { ReadOptions, ReadSet } from "../structures/detection-set";
import { filesBelow, pixelReader, wrongSizes } from "./image-files";

/**
 * Reads one part of a data set in COCO's layout: `annotations/instances_SPLIT.json`, and images in `SPLIT`,
 * `images/SPLIT` or `images`. Boxes, polygons, run lengths (compressed and not) and crowds are read.
 *
 * Images come by rising id and categories too, as COCO's program takes them.
 *
 * @param root - for example the folder that holds COCO's annotations and train2017
 * @param split - for example "train2017"
 * @throws InputError naming every field that is wrong
 */
export async function readCoco(root: string, split: string, options: ReadOptions = {}): Promise<ReadSet> {
  const file = `annotations/instances_${split}.json`;
  const document = await readJson(root, file);
  const below = await filesBelow(root);
  const folder = [split, `images/${split}`, "images"].find((name) => below.has(name));
  if (folder === undefined) {
    throw new InputError(
      `Cannot read the images: ${root} must have a folder ${split}, images/${split} or images, there is none`,
    );
  }
  const found = noFaults();
  const { categories, images } = cocoImages(document, file, found);
  for (const { fileName } of images) {
    const path = `${folder}/${fileName}`;
    if (!below.has(path)) found.faults.push(`${path}: must exist, ${file} names it`);
  }
  const leftOut = refuseFaults(root, found, options.leaveOutEmpty ?? false);
  return {
    name: `${basename(root)}/${split}`,
    categories,
    images,
    leftOut,
    readPixels: pixelReader(join(root, folder)),
    wrongSizes: () => wrongSizes(root, folder, images),
  };
}

async function readJson(root: string, file: string): Promise<unknown> {
  let bytes: Buffer;
  try {
    bytes = await readFile(join(root, file));
  } catch (cause) {
    const names = [...(await filesBelow(join(root, "annotations")))];
    const splits = names.map((name) => /^instances_(.*)\.json$/.exec(name)?.[1]).filter((name) => name !== undefined);
    throw new InputError(
      `Cannot read the annotations: choose one of the splits ${splits.sort().join(", ") || "(there are none)"} of ${root}, missing is ${file}`,
      { cause },
    );
  }
  try {
    return JSON.parse(decodeText(bytes));
  } catch (cause) {
    throw new InputError(
      `Cannot read the annotations: ${join(root, file)} must be JSON: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
}
