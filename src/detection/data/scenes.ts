import { createHash } from "node:crypto";
import { emojiLicences } from "../../data/emoji";
import { loadEmojiCutouts } from "../../data/emoji-cutouts";
import type { Part } from "../../data/emoji-split";
import { InputError } from "../../errors";
import { randomStream } from "../../engine/random";
import { composeScene, type Scene, type SceneObject } from "./compose-scene";
import type { DetectionImage, DetectionSet } from "../structures/detection-set";

/** Scenes of each part, where no other number is asked for. */
export const sceneCounts: Readonly<Record<Part, number>> = { train: 2000, validation: 250, test: 500 };

/** Credit that everything showing the scenes must print. */
export const sceneCredit = `${emojiLicences} Changed: scaled, mirrored, laid over each other on made backgrounds.`;

/** Sides in pixels that scenes may have. Drawings have 64 px and objects at most half a side: larger ones would only blur. */
const sceneSizes = { least: 32, most: 512 } as const;

/** Options of {@link composeScenes}. */
export interface SceneOptions {
  /** Part of the committed emoji split from which all drawings come. */
  readonly part: Part;
  /**
   * Side of a scene in pixels.
   *
   * @default 96
   */
  readonly size?: number | undefined;
  /**
   * Number of scenes. The first ones are the same whatever the number.
   *
   * @default that of {@link sceneCounts}
   */
  readonly count?: number | undefined;
  /** @default 0 */
  readonly seed?: number | undefined;
}

/** An image of a {@link SceneSet}. */
export interface SceneImage extends DetectionImage {
  readonly objects: readonly SceneObject[];
}

/** Composed scenes of one part. */
export interface SceneSet extends DetectionSet {
  /** The seed that it was composed from. */
  readonly seed: number;
  readonly images: readonly SceneImage[];
}

/**
 * Composes scenes for detection: emoji drawings of both hands, cut out by their alpha channel, on made backgrounds, 1 to 8 in
 * an image, in the nine categories of the emoji set, with exact boxes and masks after occlusion. They are composed scenes,
 * neither VOC nor COCO, and figures on them compare with no published ones.
 *
 * A part's scenes hold drawings of that part of the emoji split only: those of test scenes, and their variants, are in no
 * image that pre-training on the emoji set has seen.
 *
 * The same options give the same bits on every machine. Pixels are composed again when they are read: nothing but annotations
 * is kept.
 *
 * @throws InputError when the size or count is none, or the emoji packages are missing
 */
export async function composeScenes({
  part,
  size = 96,
  count = sceneCounts[part],
  seed = 0,
}: SceneOptions): Promise<SceneSet> {
  if (!Number.isInteger(size) || size < sceneSizes.least || size > sceneSizes.most) {
    throw new InputError(
      `Cannot compose scenes: size must be an integer from ${sceneSizes.least} to ${sceneSizes.most}, current value is ${size}`,
    );
  }
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new InputError(`Cannot compose scenes: count must be a positive integer, current value is ${count}`);
  }
  const { classes, cutouts } = await loadEmojiCutouts(part);
  const byClass = classes.map((_, label) => cutouts.filter((cutout) => cutout.label === label));
  const compose = (index: number): Scene => composeScene(byClass, size, randomStream(seed, "scenes", part, index));
  const images = Array.from({ length: count }, (_, index): SceneImage => {
    const fileName = `${part}-${String(index + 1).padStart(6, "0")}.png`;
    return { id: index + 1, fileName, width: size, height: size, objects: compose(index).objects };
  });
  return {
    name: `composed scenes/${part}`,
    categories: classes.map((name, index) => ({ id: index + 1, name })),
    images,
    seed,
    readPixels: ({ id }) => {
      const index = images.findIndex((image) => image.id === id);
      if (index >= 0) return Promise.resolve(compose(index).pixels);
      const message = `Cannot read the pixels of a scene: id must be from 1 to ${images.length}, current value is ${id}`;
      return Promise.reject(new InputError(message));
    },
  };
}

/** SHA-256 over pixels, boxes, categories and masks of all scenes, in hexadecimal. */
export async function sceneChecksum(set: SceneSet): Promise<string> {
  const hash = createHash("sha256");
  for (const image of set.images) {
    hash.update(await set.readPixels(image));
    const objects = image.objects.map(({ box, category, mask }) => [box, category, [...mask.counts]]);
    hash.update(JSON.stringify(objects));
  }
  return hash.digest("hex");
}
