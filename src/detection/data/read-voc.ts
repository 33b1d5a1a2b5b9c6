import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { decodeText } from "../../data/decode-text";
import { InputError } from "../../errors";
import { noFaults, refuseFaults, type AnnotationFaults } from "./annotation-faults";
import type { Box, Category, DetectionImage, ReadOptions, ReadSet } from "../structures/detection-set";
import { filesBelow, pixelReader, wrongSizes } from "./image-files";
import { parseVocFile, type VocFile } from "./voc-file";

/** The categories of PASCAL VOC 2007 to 2012, in their usual order. */
export const vocCategories: readonly string[] = [
  "aeroplane",
  "bicycle",
  "bird",
  "boat",
  "bottle",
  "bus",
  "car",
  "cat",
  "chair",
  "cow",
  "diningtable",
  "dog",
  "horse",
  "motorbike",
  "person",
  "pottedplant",
  "sheep",
  "sofa",
  "train",
  "tvmonitor",
];

const imageExtensions = [".jpg", ".jpeg", ".png", ".webp", ".JPG", ".JPEG", ".PNG"];

/** Annotation files that are read at a time. */
const readTogether = 64;

/** Options of {@link readVoc}. */
export interface ReadVocOptions extends ReadOptions {
  /**
   * Names of the categories in their order; an object of another one is a fault.
   *
   * @default those of VOC where the part has no other, else all that the set's `Annotations` name, sorted
   */
  readonly categories?: readonly string[];
}

/**
 * Reads one part of a data set in PASCAL VOC's layout: `ImageSets/Main/SPLIT.txt`, `Annotations/ID.xml`, `JPEGImages/ID.jpg`
 * (or .jpeg, .png, .webp).
 *
 * VOC's boxes are pixel indices that start at 1, both ends included. As detectron2, 1 is taken from `xmin` and `ymin`: so a
 * box from 1 to the width covers the image.
 *
 * @param root - for example VOCdevkit/VOC2007
 * @param split - for example "trainval"
 * @throws InputError naming every file and field that is wrong
 */
export async function readVoc(root: string, split: string, options: ReadVocOptions = {}): Promise<ReadSet> {
  const ids = await readSplit(root, split);
  const found = noFaults();
  const annotated = await filesBelow(join(root, "Annotations"));
  const present = await filesBelow(join(root, "JPEGImages"));
  const fileNames = ids.map((id) =>
    imageExtensions.map((extension) => id + extension).find((name) => present.has(name)),
  );
  ids.forEach((id, index) => {
    if (!annotated.has(`${id}.xml`))
      found.faults.push(`Annotations/${id}.xml: must exist, the split ${split} names it`);
    if (fileNames[index] === undefined)
      found.faults.push(`JPEGImages/${id}.jpg: must exist, the split ${split} names it`);
  });
  const files = await parseFiles(
    root,
    ids.filter((id) => annotated.has(`${id}.xml`)),
    found,
  );
  const names = options.categories ?? (await categoriesOf(root, [...files.values()], annotated));
  const categories = names.map((name, index): Category => ({ id: index + 1, name }));
  const indices = new Map(names.map((name, index) => [name, index]));
  const images = ids.map((id, index): DetectionImage => {
    const file = files.get(id) ?? { width: 0, height: 0, objects: [] };
    const objects = file.objects.map(({ name, difficult, box, at }) => {
      const category = indices.get(name);
      if (category === undefined) {
        found.faults.push(
          `Annotations/${id}.xml: object ${at}: name must be one of ${names.join(", ")}, current value is ${JSON.stringify(name)}`,
        );
      }
      const [x1, y1, x2, y2] = box;
      const shifted: Box = [x1 - 1, y1 - 1, x2, y2];
      const area = (shifted[2] - shifted[0]) * (shifted[3] - shifted[1]);
      return { box: shifted, category: category ?? -1, difficult, crowd: false, area };
    });
    return { id, fileName: fileNames[index] ?? "", width: file.width, height: file.height, objects };
  });
  const leftOut = refuseFaults(root, found, options.leaveOutEmpty ?? false);
  return {
    name: `${basename(root)}/${split}`,
    categories,
    images,
    leftOut,
    readPixels: pixelReader(join(root, "JPEGImages")),
    wrongSizes: () => wrongSizes(root, "JPEGImages", images),
  };
}

/** The ids of a part. Files of one class have a second column, which says whether the class is there. */
async function readSplit(root: string, split: string): Promise<readonly string[]> {
  const path = join(root, "ImageSets", "Main", `${split}.txt`);
  const bytes = await readFile(path).catch(async (cause: unknown) => {
    const there = await filesBelow(join(root, "ImageSets", "Main"));
    const splits = [...there].filter((name) => name.endsWith(".txt")).map((name) => name.slice(0, -4));
    throw new InputError(
      `Cannot read the split: choose one of ${splits.sort().slice(0, 100).join(", ")} in ${root}, missing is ${path}`,
      { cause },
    );
  });
  const ids = decodeSplit(bytes, path)
    .split(/\r?\n/)
    .map((line) => line.trim().split(/\s+/)[0]!)
    .filter((id) => id !== "");
  const seen = new Set<string>();
  const twice = ids.filter((id) => seen.size === seen.add(id).size);
  if (ids.length === 0 || twice.length > 0) {
    throw new InputError(
      `Cannot read the split: ${path} must name images once each, ` +
        (ids.length === 0 ? "current count is 0" : `named twice are ${twice.join(", ")}`),
    );
  }
  return ids;
}

function decodeSplit(bytes: Uint8Array, path: string): string {
  try {
    return decodeText(bytes);
  } catch (cause) {
    throw new InputError(`Cannot read the split: ${path} must be text in UTF-8 or UTF-16`, { cause });
  }
}

async function parseFiles(
  root: string,
  ids: readonly string[],
  found: AnnotationFaults,
): Promise<ReadonlyMap<string, VocFile>> {
  const files = new Map<string, VocFile>();
  for (let start = 0; start < ids.length; start += readTogether) {
    const batch = ids.slice(start, start + readTogether);
    const contents = await Promise.all(batch.map((id) => readFile(join(root, "Annotations", `${id}.xml`))));
    contents.forEach((bytes, index) => {
      const id = batch[index]!;
      const file = parseVocFile(bytes, `Annotations/${id}.xml`, found);
      if (file !== undefined) files.set(id, file);
    });
  }
  return files;
}

async function categoriesOf(
  root: string,
  files: readonly VocFile[],
  annotated: ReadonlySet<string>,
): Promise<readonly string[]> {
  const inPart = namesIn(files);
  if (inPart.every((name) => vocCategories.includes(name))) return vocCategories;
  // Every part must get the same categories, so the other parts' files are looked at too; their faults are not this part's.
  const ids = [...annotated].filter((name) => name.endsWith(".xml")).map((name) => name.slice(0, -4));
  const all = await parseFiles(root, ids, noFaults());
  return namesIn([...all.values()]).sort();
}

function namesIn(files: readonly VocFile[]): string[] {
  return [...new Set(files.flatMap(({ objects }) => objects.map(({ name }) => name)))];
}
