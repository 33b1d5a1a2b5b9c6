import { createHash } from "node:crypto";
import { basename } from "node:path";
import { InputError } from "../errors";
import { randomStream } from "../engine/random";
import type { ImageSummary } from "./decoding-task";
import { parts, type Part } from "./emoji-split";
import { findImages, type GivenFiles } from "./folder-layout";
import { statisticsOfSums, takeImages } from "./image-data";
import { listFiles, summariesOf } from "./image-files";
import type { FileSet, ImageData } from "./image-set";
import { splitByGroup } from "./split-by-group";

/**
 * What images of a set are normalized by that is not read for its own statistics: ImageNet's, as the paper's sets are.
 * Source: facebookresearch/moco@87e36d3, main_moco.py and main_lincls.py, `transforms.Normalize`.
 */
const imagenetStatistics = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const;

const splitSeed = 0;

/** Options of {@link loadImageFolder}. */
export interface ImageFolderOptions {
  /**
   * Side in pixels of the images that networks get. Random crops are taken from the whole image at its own resolution;
   * evaluation resizes the shorter side to 256 / 224 of `size` and cuts out the center, as the paper does with 256 and 224.
   *
   * @default 32
   */
  readonly size?: number | undefined;
  /**
   * Whether a part of `train` becomes the validation part where no folder has one. The paper trains on all of ImageNet's `train`:
   * without it validation is empty.
   *
   * @default true
   */
  readonly holdOut?: boolean | undefined;
}

/**
 * Finds the images of a folder, one folder a class: `train/CLASS/*`, `test/CLASS/*` and perhaps `val/CLASS/*`
 * (or `valid` or `validation`; capitals do not matter), or `CLASS/*` alone. JPEG, PNG, WebP, TIFF and GIF are read; links are followed. Names that begin
 * with a dot, files that are no images and what lies beside the parts are passed over, and `warnings` says so. The set may
 * be of any size: images are decoded when they are needed.
 *
 * Parts that are missing are made by a seeded split, stratified by class:
 * - without `val`, 15 % of `train` becomes validation;
 * - with `val` but no `test`, as in ImageNet, `val` is the test part, and 15 % of `train` becomes validation;
 * - without any, 60 % is train, 15 % validation and 25 % test. Images of the same pixels stay together.
 *
 * Images of one class or of none (`train/*` or `*` alone) can be pre-trained on: then there are no classes, all images are
 * the training part, and the other parts are empty.
 *
 * A set whose files are 512 MiB or less is decoded once when it is loaded first; what came out is remembered, and checked by the
 * time and size of each file. So its broken images are told at once, images of the same pixels are a group, its checksum is of
 * pixels, and it is normalized by its own statistics. Of a larger set each image is a group, broken ones are told when
 * they are met, the checksum is of the paths and sizes of files, and it is normalized by ImageNet's statistics.
 *
 * Transparent images are laid on white. EXIF orientation and color profiles are not applied, as torchvision's loader does not.
 *
 * @throws InputError when the layout is another, a class is not in `train`, a part comes out empty, or images of a set that is
 *   decoded cannot be: then all of them are counted and the first are listed
 */
export async function loadImageFolder(
  root: string,
  { size = 32, holdOut = true }: ImageFolderOptions = {},
): Promise<ImageData<FileSet>> {
  if (!Number.isInteger(size) || size < 1) {
    throw new InputError(`Cannot load the image folder: size must be a positive integer, current value is ${size}`);
  }
  const name = basename(root);
  const { classes, given, warnings } = await findImages(root, holdOut);
  const ids = given.flatMap((some) => some.ids);
  const whole: FileSet = {
    name,
    size,
    labels: Int32Array.from(given.flatMap(({ labels }) => labels)),
    classes,
    groups: Int32Array.from(ids.keys()),
    twins: undefined,
    ids,
    files: listFiles(root, ids),
  };
  const summaries = summariesOf(whole);
  const ofId = summaries && new Map(ids.map((id, at) => [id, summaries[at]!]));
  const [train, validation, test] = splitUp(given, summaries ? { ...whole, groups: groupsOfSame(summaries) } : whole);
  return {
    name,
    ...{ train, validation, test },
    ...(ofId ? statisticsOfSums(sumOf(train.ids.map((id) => ofId.get(id)!))) : imagenetStatistics),
    checksum: checksumOf([train, validation, test], ofId),
    warnings,
  };
}

function sumOf(summaries: readonly ImageSummary[]): Pick<ImageSummary, "pixels" | "sums" | "squares"> {
  const total = (of: (summary: ImageSummary) => number) => summaries.reduce((sum, summary) => sum + of(summary), 0);
  return {
    pixels: total(({ pixels }) => pixels),
    sums: [0, 1, 2].map((channel) => total(({ sums }) => sums[channel]!)),
    squares: [0, 1, 2].map((channel) => total(({ squares }) => squares[channel]!)),
  };
}

/** Splits what is to be split. The groups of each part differ from those of the others: a folder's own parts are taken as they are. */
function splitUp(given: readonly GivenFiles[], whole: FileSet): readonly [FileSet, FileSet, FileSet] {
  const indices: Readonly<Record<Part, number[]>> = { train: [], validation: [], test: [] };
  let first = 0;
  for (const { ids, to } of given) {
    partOfEach(whole, first, ids.length, to).forEach((part, at) => indices[part].push(first + at));
    first += ids.length;
    const empty = typeof to === "string" ? undefined : parts.find((part) => part in to && indices[part].length === 0);
    if (empty !== undefined) {
      throw new InputError(
        `Cannot load the image folder: ${whole.files.root} must have enough images for each part, ${empty} gets 0 of ` +
          `${ids.length}. Add images, or give the parts in folders train, val and test`,
      );
    }
  }
  let groups = 0;
  return parts.map((part): FileSet => {
    const numbers = new Map<number, number>();
    const numberOf = (group: number) => {
      const number = numbers.get(group) ?? groups++;
      numbers.set(group, number);
      return number;
    };
    const set = takeImages(whole, `${whole.name}/${part}`, indices[part]);
    return { ...set, groups: set.groups.map(numberOf) };
  }) as unknown as readonly [FileSet, FileSet, FileSet];
}

/** The part that each of some images belongs to. */
function partOfEach({ labels, groups }: FileSet, first: number, count: number, to: GivenFiles["to"]): readonly Part[] {
  if (typeof to === "string") return Array.from({ length: count }, () => to);
  const some = { labels: labels.subarray(first, first + count), groups: groups.subarray(first, first + count) };
  const wanted = parts.filter((part) => part in to);
  const sharesOf = wanted.map((part) => to[part]!);
  const split = splitByGroup(some, sharesOf, randomStream(splitSeed, "image folder split"));
  return Array.from(split, (at) => wanted[at]!);
}

/** Numbers images so that those of the same pixels have one number. */
function groupsOfSame(summaries: readonly ImageSummary[]): Int32Array {
  const seen = new Map<string, number>();
  return Int32Array.from(summaries, ({ digest }) => {
    const group = seen.get(digest) ?? seen.size;
    seen.set(digest, group);
    return group;
  });
}

function checksumOf(parts: readonly FileSet[], summaries: ReadonlyMap<string, ImageSummary> | undefined): string {
  const hash = createHash("sha256");
  for (const { ids, labels, files } of parts) {
    hash.update(`${ids.length}\n`);
    ids.forEach((id, at) => {
      hash.update(`${labels[at]} ${summaries ? summaries.get(id)!.digest : `${files.bytes[at]} ${id}`}\n`);
    });
  }
  return hash.digest("hex");
}
