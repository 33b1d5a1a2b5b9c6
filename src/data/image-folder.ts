import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import sharp from "sharp";
import { InputError } from "../engine/errors";
import { randomStream } from "../engine/random";
import { joinParts, takeImages } from "./image-data";
import type { ImageData, ImageSet } from "./image-set";
import { splitByGroup } from "./split-by-group";

const imageName = /\.(jpe?g|png|webp)$/i;

/** Images decoded at a time. */
const decodedTogether = 64;

/** Paths of broken images that a message lists. */
const listedPaths = 20;

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
 * `CLASS/*` alone. JPEG, PNG and WebP are read.
 *
 * Parts that are missing are made by a seeded split, stratified by class:
 * - without `val`, 15 % of `train` becomes validation;
 * - with `val` but no `test`, as in ImageNet, `val` is the test part, and 15 % of `train` becomes validation;
 * - without any, 60 % is train, 15 % validation and 25 % test. Images of the same pixels stay together.
 *
 * Transparent images are laid on white. EXIF orientation is not applied, as torchvision's loader does not.
 *
 * @throws InputError when the layout is another, a class is in one part only, the set is too large for memory, or images
 *   cannot be decoded: then all of them are counted and the first are listed
 */
export async function loadImageFolder(root: string, { size = 32 }: ImageFolderOptions = {}): Promise<ImageData> {
  if (!Number.isInteger(size) || size < 1) {
    throw new InputError(`Cannot load the image folder: size must be a positive integer, current value is ${size}`);
  }
  const name = basename(root);
  const folders = await foldersIn(root);
  const given = {
    train: folders.includes("train"),
    validation: folders.find((folder) => folder === "val" || folder === "validation"),
    test: folders.includes("test"),
  };
  const classes = await foldersIn(given.train ? join(root, "train") : root);
  if (classes.length < 2) {
    throw new InputError(
      `Cannot load the image folder: ${root} must have folders train/CLASS and test/CLASS, or CLASS alone, of at least two classes, found are ${classes.length}`,
    );
  }
  const read = (folder: string): Promise<ImageSet> => readPart(root, folder, classes, size);
  const split = (set: ImageSet, wanted: readonly number[]): ImageSet[] => {
    const total = wanted.reduce((sum, share) => sum + share, 0);
    const part = splitByGroup(
      set,
      wanted.map((share) => share / total),
      randomStream(splitSeed, "image folder split"),
    );
    return wanted.map((_, place) =>
      takeImages(
        set,
        "",
        [...part.keys()].filter((index) => part[index] === place),
      ),
    );
  };

  let sets: ImageSet[];
  if (!given.train) {
    sets = split(await read("."), [shares.train, shares.validation, shares.test]);
  } else if (given.test && given.validation !== undefined) {
    sets = [await read("train"), await read(given.validation), await read("test")];
  } else {
    const test = given.test ? "test" : given.validation;
    const pool = await read("train");
    sets =
      test === undefined
        ? split(pool, [shares.train, shares.validation, shares.test])
        : [...split(pool, [1 - shares.validation, shares.validation]), await read(test)];
  }
  const [train, validation, test] = numberGroups(sets).map((set, place) => ({
    ...set,
    name: `${name}/${["train", "validation", "test"][place]}`,
  })) as [ImageSet, ImageSet, ImageSet];
  return joinParts(name, train, validation, test);
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
  const found = await foldersIn(join(root, folder));
  const unknown = found.filter((name) => !classes.includes(name));
  if (unknown.length > 0) {
    throw new InputError(
      `Cannot load the image folder: every class of ${join(root, folder)} must be one of train, unknown is ${unknown.slice(0, listedPaths).join(", ")}`,
    );
  }
  const files: ImageFile[] = [];
  for (const name of found) {
    const images = await readdir(join(root, folder, name));
    const label = classes.indexOf(name);
    for (const image of images.sort()) {
      if (imageName.test(image)) files.push({ path: join(root, folder, name, image), label });
    }
  }
  const length = size * size * 3;
  if (files.length === 0) {
    throw new InputError(
      `Cannot load the image folder: ${join(root, folder)} must have JPEG, PNG or WebP files in its class folders, found are 0`,
    );
  }
  if (files.length * length > maximumBytes) {
    throw new InputError(
      `Cannot load the image folder: ${files.length} images of ${size} px must fit ${maximumBytes} bytes; ` +
        `choose a smaller size, current need is ${files.length * length} bytes`,
    );
  }
  const pixels = await decodeAll(root, files, size);
  return {
    name: folder,
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
    const more = broken.length > listedPaths ? `\n... and ${broken.length - listedPaths} more` : "";
    throw new InputError(
      `Cannot load the image folder: replace or remove the images of ${root} that cannot be decoded, ` +
        `there are ${broken.length}:\n${broken.sort().slice(0, listedPaths).join("\n")}${more}`,
    );
  }
  return pixels;
}

/** [size, size, 3] bytes. */
function decode(path: string, size: number): Promise<Uint8Array> {
  return sharp(path, { failOn: "error" })
    .flatten({ background: "#ffffff" })
    .resize(size, size, { fit: "cover", position: "center", kernel: "linear" })
    .toColorspace("srgb")
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

async function foldersIn(path: string): Promise<string[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
      .sort();
  } catch (cause) {
    throw new InputError(`Cannot read the image folder: it must exist, missing is ${path}`, { cause });
  }
}
