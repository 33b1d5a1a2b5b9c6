import { mkdir, readdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { InputError } from "../../errors";
import { compressCounts } from "../structures/mask-string";
import { composeScenes, sceneChecksum, sceneCredit, type SceneImage, type SceneOptions, type SceneSet } from "./scenes";

/** Formats in which scenes are written, as `readCoco` and `readVoc` read them. VOC's has no masks. */
export const sceneFormats = ["coco", "voc"] as const;
export type SceneFormat = (typeof sceneFormats)[number];

/** Images that are written at a time. */
const writeTogether = 16;

/** A set of scenes that was written. */
export interface WrittenScenes {
  readonly name: string;
  /** Side of an image in pixels. */
  readonly size: number;
  readonly seed: number;
  readonly images: number;
  readonly objects: number;
  /** As {@link sceneChecksum} gives it. */
  readonly checksum: string;
}

/**
 * Composes scenes and writes them into a new or empty folder, with a README.md that says what they are and credits the
 * drawings. A part is a split of its name. Images are PNG: not a pixel changes.
 *
 * @param wanted - the scenes of each part
 * @throws InputError when the folder has files in it, or scenes cannot be composed
 */
export async function writeScenes(
  wanted: readonly SceneOptions[],
  folder: string,
  format: SceneFormat,
): Promise<readonly WrittenScenes[]> {
  await mkdir(folder, { recursive: true });
  if ((await readdir(folder)).length > 0) {
    throw new InputError(`Cannot write scenes: the folder must be empty or new, current one with files is ${folder}`);
  }
  const write = format === "coco" ? writeCoco : writeVoc;
  const written: WrittenScenes[] = [];
  for (const options of wanted) {
    const set = await composeScenes(options);
    await write(set, options.part, folder);
    written.push({
      name: set.name,
      size: set.images[0]!.width,
      seed: set.seed,
      images: set.images.length,
      objects: set.images.reduce((sum, { objects }) => sum + objects.length, 0),
      checksum: await sceneChecksum(set),
    });
  }
  await writeFile(join(folder, "README.md"), describeScenes(written));
  return written;
}

async function writeCoco(set: SceneSet, split: string, folder: string): Promise<void> {
  await writeImages(set, join(folder, split));
  await writeText(join(folder, "annotations", `instances_${split}.json`), JSON.stringify(cocoDocument(set)));
}

/** Boxes are x, y, width, height; masks are compressed run lengths. `emoji` and `visible` are ours: the drawing, and the share of it that is seen. */
function cocoDocument(set: SceneSet): unknown {
  let id = 0;
  return {
    info: { description: `${set.name} of moco-kit, not of COCO. ${sceneCredit}` },
    licenses: [
      { id: 1, name: "Twemoji: CC-BY 4.0", url: "https://creativecommons.org/licenses/by/4.0/" },
      { id: 2, name: "Noto Emoji: Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" },
    ],
    images: set.images.map(({ id, fileName, width, height }) => ({ id, file_name: fileName, width, height })),
    categories: set.categories.map((category) => ({ ...category, supercategory: "emoji" })),
    annotations: set.images.flatMap((image) =>
      image.objects.map(({ box: [x1, y1, x2, y2], category, area, mask, drawing, visible }) => ({
        id: ++id,
        image_id: image.id,
        category_id: set.categories[category]!.id,
        bbox: [x1, y1, x2 - x1, y2 - y1],
        area,
        iscrowd: 0,
        segmentation: { size: mask.size, counts: compressCounts(mask.counts) },
        emoji: drawing,
        visible,
      })),
    ),
  };
}

async function writeVoc(set: SceneSet, split: string, folder: string): Promise<void> {
  await writeImages(set, join(folder, "JPEGImages"));
  const ids = set.images.map(({ fileName }) => fileName.replace(/\.png$/, ""));
  await writeText(join(folder, "ImageSets", "Main", `${split}.txt`), `${ids.join("\n")}\n`);
  for (const [index, image] of set.images.entries()) {
    await writeText(join(folder, "Annotations", `${ids[index]}.xml`), vocAnnotation(set, image));
  }
}

/** Boxes are pixel indices from 1, both ends included. */
function vocAnnotation(set: SceneSet, { fileName, width, height, objects }: SceneImage): string {
  const elements = objects.map(
    ({ box: [x1, y1, x2, y2], category, visible }) => `  <object>
    <name>${escapeXml(set.categories[category]!.name)}</name>
    <truncated>0</truncated>
    <occluded>${visible < 1 ? 1 : 0}</occluded>
    <difficult>0</difficult>
    <bndbox><xmin>${x1 + 1}</xmin><ymin>${y1 + 1}</ymin><xmax>${x2}</xmax><ymax>${y2}</ymax></bndbox>
  </object>
`,
  );
  return `<annotation>
  <folder>${escapeXml(set.name)}</folder>
  <filename>${escapeXml(fileName)}</filename>
  <size><width>${width}</width><height>${height}</height><depth>3</depth></size>
  <segmented>0</segmented>
${elements.join("")}</annotation>
`;
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

async function writeImages(set: SceneSet, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (let start = 0; start < set.images.length; start += writeTogether) {
    await Promise.all(
      set.images.slice(start, start + writeTogether).map(async (image) => {
        const { width, height, fileName } = image;
        const raw = { width, height, channels: 3 } as const;
        await sharp(await set.readPixels(image), { raw })
          .png()
          .toFile(join(folder, fileName));
      }),
    );
  }
}

async function writeText(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

function describeScenes(written: readonly WrittenScenes[]): string {
  const rows = written.map(
    ({ name, size, seed, images, objects, checksum }) =>
      `- ${name}: ${images} images of ${size} px, seed ${seed}, ${objects} objects, SHA-256 ${checksum}`,
  );
  return `# Composed scenes

Emoji drawings on made backgrounds, 1 to 8 in an image, with exact boxes and masks of what is seen of each, composed by
moco-kit. They are neither PASCAL VOC nor COCO, only in the file format of one of them. Train, validation and test scenes
hold drawings of the train, validation and test groups of the kit's emoji split.

${rows.join("\n")}

The checksum is over pixels, boxes, categories and masks.

## License

${sceneCredit}
The drawings were taken from the npm packages emoji-datasource-twitter and emoji-datasource-google by Cal Henderson (MIT).
`;
}
