import { createHash } from "node:crypto";
import { basename, join, relative } from "node:path";
import { InputError } from "../errors";
import { randomStream } from "../engine/random";
import { classFolders, folderContent, listed, listedPaths, readableFormats, type ClassFolder } from "./class-folders";
import { joinParts, takeImages } from "./image-data";
import type { ImageData, ImageSet } from "./image-set";
import { openImage } from "./open-image";
import { splitByGroup } from "./split-by-group";

/** Images decoded at a time. */
const decodedTogether = 64;

/** A set is held in memory as bytes; above this it would not fit beside the training of an ordinary machine. */
const maximumBytes = 4 * 2 ** 30;

/** Shares of train, validation and test where a folder has no parts, and of validation where it has no such part. */
const shares = { train: 0.6, validation: 0.15, test: 0.25 } as const;
const splitSeed = 0;

/** Options of {@link loadImageFolder}. */
export interface ImageFolderOptions {
  /**
   * Side of an image in pixels. The shorter side is resized to it (bilinear, antialiased) and the center is cut out. The
   * paper's evaluation resizes to 256 and cuts 224; here nothing is resized beyond the cut, because the same
   * images feed training.
   *
   * @default 32
   */
  readonly size?: number;
}

interface ImageFile {
  readonly path: string;
  readonly label: number;
}

/**
 * Loads a folder of images, one folder a class: `train/CLASS/*`, `test/CLASS/*` and perhaps `val/CLASS/*`, or
 * `CLASS/*` alone. JPEG, PNG, WebP, TIFF and GIF are read; links are followed, names that begin with a dot passed over.
 *
 * Parts that are missing are made by a seeded split, stratified by class:
 * - without `val`, 15 % of `train` becomes validation;
 * - with `val` but no `test`, as in ImageNet, `val` is the test part, and 15 % of `train` becomes validation;
 * - without any, 60 % is train, 15 % validation and 25 % test. Images of the same pixels stay together.
 *
 * Images of one class or of none (`train/*` or `*` alone) can be pre-trained on: then there are no classes, all images are
 * the training part, and the other parts are empty.
 *
 * Transparent images are laid on white. EXIF orientation and color profiles are not applied, as torchvision's loader does not.
 *
 * @throws InputError when the layout is another, a class is in one part only, a part comes out empty, the set is too large
 *   for memory, or images cannot be decoded: then all of them are counted and the first are listed
 */
export async function loadImageFolder(root: string, { size = 32 }: ImageFolderOptions = {}): Promise<ImageData> {
  if (!Number.isInteger(size) || size < 1) {
    throw new InputError(`Cannot load the image folder: size must be a positive integer, current value is ${size}`);
  }
  const name = basename(root);
  const { folders } = await folderContent(root);
  const pooled = folders.includes("train") ? "train" : ".";
  const found = await classFolders(join(root, pooled));
  const sets =
    found.length < 2
      ? await withoutClasses(root, pooled, found, size)
      : numberGroups(await threeParts(root, folders, found, size));
  const [train, validation, test] = sets.map((set, place) => ({
    ...set,
    name: `${name}/${partNames[place]}`,
  })) as [ImageSet, ImageSet, ImageSet];
  return joinParts(name, train, validation, test);
}

const partNames = ["train", "validation", "test"] as const;

/** All images as the training part, and two empty ones. */
async function withoutClasses(
  root: string,
  folder: string,
  [single]: readonly ClassFolder[],
  size: number,
): Promise<readonly ImageSet[]> {
  const place = single ? join(folder, single.name) : folder;
  const { images, unreadable } = await folderContent(join(root, place));
  if (unreadable.length > 0) {
    throw new InputError(
      `Cannot load the image folder: ${readableFormats} files are read, convert those of ${join(root, place)} that are ` +
        `others, there are ${unreadable.length}:\n${listed(unreadable)}`,
    );
  }
  if (images.length === 0) {
    throw new InputError(
      `Cannot load the image folder: ${root} must have folders train/CLASS and test/CLASS, or CLASS alone, or ` +
        `${readableFormats} files without classes, found are 0`,
    );
  }
  const files = images.map((image): ImageFile => ({ path: join(root, place, image), label: -1 }));
  const train = await readFiles(root, files, [], size);
  return [train, takeImages(train, "", []), takeImages(train, "", [])];
}

async function threeParts(
  root: string,
  folders: readonly string[],
  found: readonly ClassFolder[],
  size: number,
): Promise<readonly ImageSet[]> {
  const classes = found.map(({ name }) => name);
  const given = {
    train: folders.includes("train"),
    validation: folders.find((folder) => folder === "val" || folder === "validation"),
    test: folders.includes("test"),
  };
  const read = (folder: string): Promise<ImageSet> => readPart(root, folder, classes, size);
  const split = (set: ImageSet, wanted: readonly number[]): ImageSet[] => {
    const total = wanted.reduce((sum, share) => sum + share, 0);
    const part = splitByGroup(
      set,
      wanted.map((share) => share / total),
      randomStream(splitSeed, "image folder split"),
    );
    return wanted.map((_, place) => {
      const indices = [...part.keys()].filter((index) => part[index] === place);
      if (indices.length === 0) {
        throw new InputError(
          `Cannot load the image folder: ${root} must have enough images for each part, ${partNames[place]} gets 0 of ` +
            `${set.labels.length}. Add images, or give the parts in folders train, val and test`,
        );
      }
      return takeImages(set, "", indices);
    });
  };

  if (!given.train) return split(await read("."), [shares.train, shares.validation, shares.test]);
  if (given.test && given.validation !== undefined) {
    return [await read("train"), await read(given.validation), await read("test")];
  }
  const test = given.test ? "test" : given.validation;
  const pool = await read("train");
  return test === undefined
    ? split(pool, [shares.train, shares.validation, shares.test])
    : [...split(pool, [1 - shares.validation, shares.validation]), await read(test)];
}

/** Makes the groups of each part differ from those of the parts before it: a folder's own parts are taken as they are. */
function numberGroups(sets: readonly ImageSet[]): ImageSet[] {
  let next = 0;
  return sets.map((set) => {
    const numbers = new Map<number, number>();
    const groups = set.groups.map((group) => {
      const number = numbers.get(group) ?? next++;
      numbers.set(group, number);
      return number;
    });
    return { ...set, groups };
  });
}

async function readPart(root: string, folder: string, classes: readonly string[], size: number): Promise<ImageSet> {
  const found = await classFolders(join(root, folder));
  const unknown = found.map(({ name }) => name).filter((name) => !classes.includes(name));
  if (unknown.length > 0) {
    throw new InputError(
      `Cannot load the image folder: every class of ${join(root, folder)} must be one of train, unknown is ${unknown.slice(0, listedPaths).join(", ")}`,
    );
  }
  if (found.length === 0) {
    throw new InputError(
      `Cannot load the image folder: ${join(root, folder)} must have ${readableFormats} files in its class folders, found are 0`,
    );
  }
  const files = found.flatMap(({ name, images }) =>
    images.map((image): ImageFile => ({ path: join(root, folder, name, image), label: classes.indexOf(name) })),
  );
  return { ...(await readFiles(root, files, classes, size)), name: folder };
}

async function readFiles(
  root: string,
  files: readonly ImageFile[],
  classes: readonly string[],
  size: number,
): Promise<ImageSet> {
  const length = size * size * 3;
  if (files.length * length > maximumBytes) {
    throw new InputError(
      `Cannot load the image folder: ${files.length} images of ${size} px must fit ${maximumBytes} bytes; ` +
        `choose a smaller size, current need is ${files.length * length} bytes`,
    );
  }
  const pixels = await decodeAll(root, files, size);
  return {
    name: "",
    size,
    pixels,
    labels: Int32Array.from(files, ({ label }) => label),
    classes,
    groups: groupsOfSamePixels(pixels, length),
    twins: undefined,
    ids: files.map(({ path }) => relative(root, path)),
  };
}

async function decodeAll(root: string, files: readonly ImageFile[], size: number): Promise<Uint8Array> {
  const length = size * size * 3;
  const pixels = new Uint8Array(files.length * length);
  const broken: string[] = [];
  for (let start = 0; start < files.length; start += decodedTogether) {
    await Promise.all(
      files.slice(start, start + decodedTogether).map(async ({ path }, offset) => {
        try {
          pixels.set(await decode(path, size), (start + offset) * length);
        } catch (error) {
          broken.push(`${relative(root, path)}: ${error instanceof Error ? error.message.trim() : String(error)}`);
        }
      }),
    );
  }
  if (broken.length > 0) {
    throw new InputError(
      `Cannot load the image folder: replace or remove the images of ${root} that cannot be decoded, ` +
        `there are ${broken.length}:\n${listed(broken.sort())}`,
    );
  }
  return pixels;
}

/** [size, size, 3] bytes. */
async function decode(path: string, size: number): Promise<Uint8Array> {
  const image = await openImage(path, { turned: false });
  return image
    .flatten({ background: "#ffffff" })
    .resize(size, size, { fit: "cover", position: "center", kernel: "linear" })
    .raw()
    .toBuffer();
}

/** Images of the same pixels share a group. */
function groupsOfSamePixels(pixels: Uint8Array, length: number): Int32Array {
  const seen = new Map<string, number>();
  return Int32Array.from({ length: pixels.length / length }, (_, index) => {
    const digest = createHash("sha1")
      .update(pixels.subarray(index * length, (index + 1) * length))
      .digest("base64");
    const group = seen.get(digest) ?? seen.size;
    seen.set(digest, group);
    return group;
  });
}
