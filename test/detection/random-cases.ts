import { randomStream, type Random } from "../../src/engine/random";
import { noFaults } from "../../src/detection/data/annotation-faults";
import { cocoImages } from "../../src/detection/data/coco-document";
import type { Detection, DetectionSet } from "../../src/detection/structures/detection-set";
import { encodeMask } from "../../src/detection/structures/mask-rle";
import { compressCounts } from "../../src/detection/structures/mask-string";

type Four = readonly [x: number, y: number, width: number, height: number];

/** A COCO annotation file and a results file, parsed. */
export interface CocoCase {
  readonly truth: { readonly annotations: readonly object[]; readonly [key: string]: unknown };
  readonly results: readonly Record<string, unknown>[];
}

/**
 * A random case: up to 6 images and 4 categories, crowds, images without objects or detections, categories without
 * either, equal scores, objects of all sizes, duplicates, overlaps of exactly a threshold.
 */
export function randomCoco(seed: number, of: "box" | "mask"): CocoCase {
  const random = randomStream(0, "coco case", of, seed);
  const side = of === "box" ? 60 + random.integer(300) : 20 + random.integer(80);
  // Whole numbers and halves meet thresholds exactly; hundredths are what COCO's files have.
  const grid = [1, 2, 100, 2 ** 20][random.integer(4)]!;
  const snap = (value: number): number => Math.round(value * grid) / grid;
  const categories = pick(random, [3, 1, 7, 90], 1 + random.integer(4)).map((id) => ({ id, name: `c${id}` }));
  const images = pick(random, [12, 5, 100, 8, 77, 1], 1 + random.integer(6)).map((id) => ({
    id,
    file_name: `${id}.jpg`,
    width: side,
    height: side,
  }));
  const scores = random.integer(2) === 0 ? (): number => random.integer(6) / 5 : (): number => random.uniform();
  const annotations: object[] = [];
  const results: Record<string, unknown>[] = [];
  const crowded = random.integer(2) === 0 ? 0.3 : 0;
  for (const { id: image_id } of images) {
    const objects = random.integer(4) === 0 ? 0 : random.integer(9);
    for (let object = 0; object < objects; object++) {
      const bbox = randomBox(random, side, snap);
      const { id: category_id } = categories[random.integer(categories.length)]!;
      const iscrowd = random.uniform() < crowded ? 1 : 0;
      const form = iscrowd === 1 ? 1 + random.integer(2) : random.integer(3);
      const mask = of === "mask" ? segmentation(bbox, side, form) : { area: bbox[2] * bbox[3] };
      annotations.push({ id: annotations.length + 1, image_id, category_id, bbox, iscrowd, ...mask });
    }
    const ofImage = annotations.slice(-objects || annotations.length) as { bbox: Four; category_id: number }[];
    for (let count = random.integer(5) === 0 ? 0 : random.integer(25); count > 0; count--) {
      const near = ofImage.length > 0 && random.integer(4) > 0 ? ofImage[random.integer(ofImage.length)]! : undefined;
      const bbox = near === undefined ? randomBox(random, side, snap) : shifted(random, near.bbox, side, snap);
      const category_id =
        near !== undefined && random.integer(5) > 0
          ? near.category_id
          : categories[random.integer(categories.length)]!.id;
      const what = of === "box" ? { bbox } : { segmentation: segmentation(bbox, side, 2).segmentation };
      results.push({ image_id, category_id, score: scores(), ...what });
    }
  }
  return { truth: { info: {}, images, categories, annotations }, results };
}

/** The set that an annotation file describes; its images cannot be read. */
export function setOf(truth: unknown): DetectionSet {
  const found = noFaults();
  const { categories, images } = cocoImages(truth, "case", found);
  if (found.faults.length + found.empty.length > 0) throw new Error(`the case is wrong: ${JSON.stringify(found)}`);
  return { name: "case", categories, images, readPixels: () => Promise.reject(new Error("has no pixels")) };
}

/** A set in which image i stands `multiplicities[i]` times, and its detections with it. */
export function repeated(
  set: DetectionSet,
  detections: readonly Detection[],
  multiplicities: ArrayLike<number>,
): { readonly set: DetectionSet; readonly detections: readonly Detection[] } {
  const copies = set.images.flatMap((image, index) =>
    Array.from({ length: multiplicities[index]! }, (_, copy) => ({
      image: { ...image, id: `${image.id} ${copy}` },
      of: image.id,
    })),
  );
  return {
    set: { ...set, images: copies.map(({ image }) => image) },
    detections: copies.flatMap(({ image, of }) =>
      detections.filter(({ imageId }) => imageId === of).map((detection) => ({ ...detection, imageId: image.id })),
    ),
  };
}

function pick<Value>(random: Random, values: readonly Value[], count: number): Value[] {
  return [...random.permutation(values.length).subarray(0, count)].map((index) => values[index]!);
}

function randomBox(random: Random, side: number, snap: (value: number) => number): Four {
  const longest = side * [0.1, 0.4, 0.9][random.integer(3)]!;
  const width = Math.max(snap(random.uniform(1, longest)), 1);
  const height = Math.max(snap(random.uniform(1, longest)), 1);
  return [snap(random.uniform(0, side - width)), snap(random.uniform(0, side - height)), width, height];
}

/** A box near another: the same, a half or three quarters of it, or moved. */
function shifted(random: Random, box: Four, side: number, snap: (value: number) => number): Four {
  const [x, y, width, height] = box;
  const kind = random.integer(5);
  if (kind === 0) return box;
  if (kind === 1) return [x, y, width, Math.round(height * [0.5, 0.75, 0.9][random.integer(3)]! * 1000) / 1000];
  const by = 0.3 * random.uniform();
  const move = (length: number): number => snap(random.uniform(-by, by) * length);
  const moved: Four = [
    Math.max(x + move(width), 0),
    Math.max(y + move(height), 0),
    Math.max(width + move(width), 1),
    Math.max(height + move(height), 1),
  ];
  return moved[0] >= side - 1 || moved[1] >= side - 1 ? box : moved;
}

/** The ellipse in a box, as a polygon (form 0), as run lengths (1), or compressed (2), with its area. */
function segmentation(box: Four, side: number, form: number): { segmentation: unknown; area: number } {
  const [x, y, width, height] = box;
  if (form === 0) {
    const corners = Array.from({ length: 8 }, (_, corner) => {
      const angle = (corner * Math.PI) / 4;
      return [x + (width * (1 + Math.cos(angle))) / 2, y + (height * (1 + Math.sin(angle))) / 2];
    });
    return { segmentation: [corners.flat()], area: width * height * 0.7 };
  }
  const bitmap = Array.from({ length: side * side }, (_, at) => {
    const across = ((at % side) + 0.5 - x - width / 2) / (width / 2);
    const down = (Math.floor(at / side) + 0.5 - y - height / 2) / (height / 2);
    return across ** 2 + down ** 2 <= 1 ? 1 : 0;
  });
  const { counts } = encodeMask(bitmap, side, side);
  const size = [side, side];
  const area = bitmap.reduce<number>((sum, value) => sum + value, 0);
  return { segmentation: { size, counts: form === 1 ? [...counts] : compressCounts(counts) }, area };
}
