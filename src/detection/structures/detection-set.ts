import { InputError } from "../../errors";
import type { Mask, Rle } from "./mask-rle";

/**
 * Left, top, right and bottom in pixels, as continuous coordinates: the left edge of the first pixel is 0 and the right edge
 * of an image is its width, so a box is `x2 - x1` wide.
 */
export type Box = readonly [x1: number, y1: number, x2: number, y2: number];

/** A category as annotation files name it. Everywhere else a category is its index in {@link DetectionSet.categories}. */
export interface Category {
  /** `category_id` of COCO files; 1, 2, 3, ... for VOC, which has none. */
  readonly id: number;
  readonly name: string;
}

/** One annotated object. */
export interface Annotation {
  readonly box: Box;
  /** Index in {@link DetectionSet.categories}. */
  readonly category: number;
  /** VOC's `difficult`: trained on, not scored. */
  readonly difficult: boolean;
  /** COCO's `iscrowd`: the region of a group. Not trained on; detections inside it are not counted as wrong. */
  readonly crowd: boolean;
  /** Pixels: `area` of COCO files (of the mask, where there is one), width times height of the box for VOC. */
  readonly area: number;
  readonly mask?: Mask;
}

/** Numbers in COCO files, file names without extension in VOC ones. */
export type ImageId = number | string;

/** An annotated image. Its pixels are read by {@link DetectionSet.readPixels}. */
export interface DetectionImage {
  readonly id: ImageId;
  /** Path below the folder of images. */
  readonly fileName: string;
  /** Pixels. */
  readonly width: number;
  /** Pixels. */
  readonly height: number;
  readonly objects: readonly Annotation[];
}

/** Annotated images of one part of a data set. Annotations are in memory, pixels are read when asked for. */
export interface DetectionSet {
  /** Data set and part, for example "VOC2007/trainval". */
  readonly name: string;
  readonly categories: readonly Category[];
  readonly images: readonly DetectionImage[];
  /**
   * Reads the pixels of one of `images`: [height, width, 3] bytes, red, green, blue.
   *
   * @throws InputError when the file is missing, cannot be decoded, or has another size than its annotation says
   */
  readPixels(image: DetectionImage): Promise<Uint8Array>;
}

/** A set read from files. */
export interface ReadSet extends DetectionSet {
  /**
   * What was left out, each with its file and field: objects without area, if that was asked for, and polygons of less than
   * three corners.
   */
  readonly leftOut: readonly string[];
  /**
   * Looks at the size of each image, without reading its pixels.
   *
   * @returns what is wrong: images of another size than annotated, or that cannot be opened
   */
  readonly wrongSizes: () => Promise<readonly string[]>;
}

/** Options of the readers. */
export interface ReadOptions {
  /**
   * Leaves objects without area out instead of refusing the files; {@link ReadSet.leftOut} names them. A detector cannot be
   * trained on them.
   *
   * @default false
   */
  readonly leaveOutEmpty?: boolean;
}

/**
 * Joins sets of the same categories, for example VOC 2007 and 2012.
 *
 * @throws InputError when categories differ or two images have one id
 */
export function joinSets(name: string, sets: readonly DetectionSet[]): DetectionSet {
  const names = sets.map(({ categories }) => categories.map((category) => category.name).join(", "));
  const other = names.find((list) => list !== names[0]);
  if (other !== undefined) {
    throw new InputError(
      `Cannot join detection sets: they must have the same categories, current are "${names[0]}" and "${other}"`,
    );
  }
  const source = new Map<ImageId, DetectionSet>();
  for (const set of sets) {
    for (const { id } of set.images) {
      if (source.has(id)) {
        throw new InputError(
          `Cannot join detection sets: an image must be in one of them, current one in ${source.get(id)!.name} and ${set.name} is ${id}`,
        );
      }
      source.set(id, set);
    }
  }
  return {
    name,
    categories: sets[0]?.categories ?? [],
    images: sets.flatMap(({ images }) => images),
    readPixels: (image) => source.get(image.id)!.readPixels(image),
  };
}

/**
 * Checks that masks can be learned and evaluated on a set.
 *
 * @throws InputError if an object has none
 */
export function assertMasks({ name, images }: DetectionSet): void {
  for (const { id, objects } of images) {
    if (objects.some(({ mask }) => mask === undefined)) {
      throw new InputError(
        `Cannot use masks of ${name}: every object must have one, an object in image ${id} has none. Train without masks`,
      );
    }
  }
}

/** One object that a detector found. */
export interface Detection {
  readonly imageId: ImageId;
  /** Index in {@link DetectionSet.categories}. */
  readonly category: number;
  readonly box: Box;
  /** Confidence; only the order of scores matters to the metrics. */
  readonly score: number;
  /** Of the size of the image. */
  readonly mask?: Rle;
}

/** The images that a detector is trained on: those with an object that is no crowd (detectron2). */
export function trainableImages({ images }: DetectionSet): readonly DetectionImage[] {
  return images.filter(({ objects }) => objects.some(({ crowd }) => !crowd));
}

/** Pixels that a box may reach beyond its image by: tools round. */
const roundingPixels = 1;

/**
 * Boxes that reach beyond their image, each with its image: slips of the pen, mostly. Neither VOC's nor COCO's tools refuse them; a
 * detector is trained on what of them lies in the image, as detectron2 does, and evaluated by the whole.
 */
export function boxesBeyond({ name, categories, images }: DetectionSet): readonly string[] {
  return images.flatMap(({ id, fileName, width, height, objects }) =>
    objects
      .filter(({ box: [x1, y1, x2, y2] }) => Math.max(-x1, -y1, x2 - width, y2 - height) > roundingPixels)
      .map(
        ({ box, category }) =>
          `${name}: image ${id} (${fileName}, ${width} x ${height}), ${categories[category]!.name}: ${box.join(", ")}`,
      ),
  );
}
