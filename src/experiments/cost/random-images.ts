import { channelStatistics } from "../../data/image-data";
import type { ImageData, PixelSet } from "../../data/image-set";
import type { Size } from "../../detection/structures/boxes";
import type { DetectionImage, DetectionSet } from "../../detection/structures/detection-set";
import { randomStream, type Random } from "../../engine/random";

/** Objects in an image: COCO's mean is 7.3 (860,001 in 118,287 images of train2017). */
const objectsInImage = 7;

/** Square images of noise in place of a data set that is not there; all parts are the same. */
export function randomImageData(size: number, count: number, classes: number): ImageData {
  const set: PixelSet = {
    name: "random images",
    size,
    pixels: noise(count * size * size * 3, randomStream(0, "pixels")),
    labels: Int32Array.from({ length: count }, (_, index) => index % classes),
    classes: Array.from({ length: classes }, (_, index) => `class ${index}`),
    groups: Int32Array.from({ length: count }, (_, index) => index),
    twins: undefined,
    ids: Array.from({ length: count }, (_, index) => `random ${index}`),
  };
  return { name: set.name, train: set, validation: set, test: set, ...channelStatistics(set.pixels), checksum: "" };
}

/** Images of noise with random boxes and outlines in place of a detection set that is not there. */
export function randomDetectionSet(size: Size, count: number, classes: number): DetectionSet {
  return {
    name: "random images",
    categories: Array.from({ length: classes }, (_, index) => ({ id: index + 1, name: `category ${index}` })),
    images: Array.from({ length: count }, (_, index): DetectionImage => {
      const random = randomStream(0, "objects", index);
      const objects = Array.from({ length: objectsInImage }, () => randomObject(size, random.integer(classes), random));
      return { id: index, fileName: `${index}.png`, ...size, objects };
    }),
    readPixels: ({ id, width, height }) => Promise.resolve(noise(width * height * 3, randomStream(0, "pixels", id))),
  };
}

/** A box of a tenth to a half of the sides, and the diamond in it as its mask. */
function randomObject({ height, width }: Size, category: number, random: Random): DetectionImage["objects"][number] {
  const [w, h] = [width * random.uniform(0.1, 0.5), height * random.uniform(0.1, 0.5)];
  const [x, y] = [random.uniform(0, width - w), random.uniform(0, height - h)];
  return {
    box: [x, y, x + w, y + h],
    category,
    difficult: false,
    crowd: false,
    area: (w * h) / 2,
    mask: [[x + w / 2, y, x + w, y + h / 2, x + w / 2, y + h, x, y + h / 2]],
  };
}

function noise(length: number, random: Random): Uint8Array {
  return Uint8Array.from({ length }, () => random.integer(256));
}
