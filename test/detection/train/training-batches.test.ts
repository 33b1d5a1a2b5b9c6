import { describe, expect, it } from "vitest";
import type { ImageRecipe } from "../../../src/detection/detection-recipe";
import type { DetectionImage } from "../../../src/detection/structures/detection-set";
import { prepareImage, resizedSize, transformTruth } from "../../../src/detection/train/detector-images";
import { maskBox } from "../../../src/detection/structures/mask-rle";
import { rleOf } from "../../../src/detection/structures/polygon-mask";
import { commonShapes } from "../../../src/detection/train/common-shapes";
import { firstShapes, readTrainingBatch, shuffledBatches } from "../../../src/detection/train/training-batches";
import { trainableImages } from "../../../src/detection/structures/detection-set";
import { randomStream } from "../../../src/engine/random";
import { tf } from "../../../src/engine/tf";
import { tinyDetection, tinySet } from "../tiny-detection";

describe("resizedSize", () => {
  it.each([
    { width: 500, height: 375, to: [1067, 800] },
    { width: 375, height: 500, to: [800, 1067] },
    { width: 640, height: 213, to: [1333, 444] }, // the longer side would have 2404
    { width: 800, height: 800, to: [800, 800] },
  ])("of $width x $height for 800, at most 1333, is $to", ({ to: [width, height], ...from }) => {
    expect(resizedSize(from, 800, 1333)).toEqual({ width, height });
  });
});

describe("prepareImage and transformTruth", () => {
  const [from, to] = [
    { height: 20, width: 40 },
    { height: 30, width: 60 },
  ];
  // White from 4 to 12 across and from 8 to 16 down, else black.
  const pixels = Uint8Array.from({ length: 20 * 40 * 3 }, (_, at) => {
    const [x, y] = [Math.floor(at / 3) % 40, Math.floor(at / 120)];
    return x >= 4 && x < 12 && y >= 8 && y < 16 ? 255 : 0;
  });
  const truth = { boxes: Float32Array.of(4, 8, 12, 16), classes: Int32Array.of(3) };
  const plain: Pick<ImageRecipe, "mean" | "std"> = { mean: [0, 0, 0], std: [1, 1, 1] };

  it.each([
    { mirrored: false, box: [6, 12, 18, 24] },
    { mirrored: true, box: [42, 12, 54, 24] },
  ])("move an image and its box alike, mirrored: $mirrored", ({ mirrored, box }) => {
    const moved = transformTruth(truth, from, to, mirrored);
    expect([...moved.boxes]).toEqual(box);
    expect([...moved.classes]).toEqual([3]);
    const image = prepareImage(pixels, from, to, mirrored, plain);
    const values = image.arraySync();
    const [x1, y1, x2, y2] = box as [number, number, number, number];
    // Well inside of the border, where resizing mixes.
    expect(values[y1 + 2]![x1 + 2]).toEqual([1, 1, 1]);
    expect(values[y2 - 3]![x2 - 3]).toEqual([1, 1, 1]);
    expect(values[y1 - 3]![x1 + 2]).toEqual([0, 0, 0]);
    expect(values[y1 + 2]![x1 - 3]).toEqual([0, 0, 0]);
    expect(values[y1 + 2]![x2 + 2]).toEqual([0, 0, 0]);
    image.dispose();
    expect([...truth.boxes]).toEqual([4, 8, 12, 16]);
  });

  it.each([
    { mirrored: false, box: [45, 0, 60, 24] },
    { mirrored: true, box: [0, 0, 15, 24] },
  ])("keep what of a box lies in its image, as detectron2 does, mirrored: $mirrored", ({ mirrored, box }) => {
    const beyond = { boxes: Float32Array.of(30, -5, 9349, 16), classes: Int32Array.of(0) };
    expect([...transformTruth(beyond, from, to, mirrored).boxes]).toEqual(box);
  });

  it("leave the pixels of an image of the right size as they are, but for the normalization", () => {
    const normalization: typeof plain = { mean: [0.5, 0.25, 0], std: [0.5, 0.25, 1] };
    const image = prepareImage(pixels, from, from, false, normalization);
    const expected = Array.from(pixels, (value, at) => (value === 0 ? [-1, -1, 0] : [1, 3, 1])[at % 3]);
    expect([...image.dataSync()]).toEqual(expected);
    image.dispose();
  });
});

describe("shuffledBatches", () => {
  const image = (id: number, width: number): DetectionImage => ({ id, fileName: "", width, height: 10, objects: [] });
  const images = Array.from({ length: 12 }, (_, id) => image(id, id < 7 ? 20 : 10));
  const take = (count: number) => {
    const batches = shuffledBatches(images, 3, (pass) => randomStream(1, pass));
    return Array.from({ length: count }, () => batches.next().value);
  };

  it("keep wide images apart from others", () => {
    for (const batch of take(40)) expect(new Set(batch.map(({ width }) => width)).size).toBe(1);
  });

  it("take every image equally often, in another order each pass", () => {
    // 12 passes: 84 wide and 60 other images, whole batches of both.
    const ids = take(48).flatMap((batch) => batch.map(({ id }) => id as number));
    const counts = images.map(({ id }) => ids.filter((one) => one === id).length);
    expect(counts).toEqual(Array(12).fill(12));
    expect(ids.slice(0, 12)).not.toEqual(ids.slice(12, 24));
  });
});

describe("readTrainingBatch", () => {
  const set = tinySet();
  const recipe = tinyDetection();

  it("draws the size and the mirroring of each image", async () => {
    const drawn = new Set<string>();
    const wide = { ...recipe, images: { ...recipe.images, longest: 64 } };
    for (let step = 0; step < 24; step++) {
      const { images, sizes, truths } = await readTrainingBatch(set, [set.images[0]!], wide, randomStream(1, step));
      images.dispose();
      drawn.add(`${sizes[0]!.height} ${truths[0]!.boxes[0]! < 10 ? "as it is" : "mirrored"}`);
    }
    expect([...drawn].sort()).toEqual(["24 as it is", "24 mirrored", "28 as it is", "28 mirrored"]);
  });

  it("moves masks with their boxes, where masks are trained", async () => {
    const masks = { ...recipe, detector: { ...recipe.detector, masks: true as const } };
    const first = set.images[0]!;
    const outline = first.objects[0]!;
    const runs = { ...outline, mask: rleOf(outline.mask!, first.height, first.width) };
    const image: DetectionImage = { ...first, objects: [outline, runs] };
    const mirrored = new Set<boolean>();
    for (let step = 0; step < 8; step++) {
      const { images, sizes, truths } = await readTrainingBatch(set, [image], masks, randomStream(1, step));
      images.dispose();
      const { height, width } = sizes[0]!;
      const { boxes, masks: moved } = truths[0]!;
      mirrored.add(boxes[0]! > 10);
      // Outlines and run lengths alike; pixels are whole.
      for (const mask of moved!) {
        const box = maskBox(rleOf(mask, height, width));
        box.forEach((side, index) => expect(Math.abs(side - boxes[index]!)).toBeLessThanOrEqual(1));
      }
    }
    expect(mirrored.size).toBe(2);
  });

  it("has no masks where none are trained", async () => {
    const { images, truths } = await readTrainingBatch(set, set.images, recipe, randomStream(1));
    images.dispose();
    expect(truths.every(({ masks }) => masks === undefined)).toBe(true);
  });

  it("leaves no tensor but the images", async () => {
    const before = tf.memory().numTensors;
    const { images, sizes } = await readTrainingBatch(set, set.images, recipe, randomStream(1));
    expect(images.shape[0]).toBe(5);
    expect(images.shape[1]).toBe(Math.max(...sizes.map(({ height }) => height)));
    images.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe("trainableImages", () => {
  it("leaves out images without objects, or with crowds only", () => {
    const set = tinySet(3);
    const crowd = { ...set.images[1]!.objects[0]!, crowd: true };
    const images = [{ ...set.images[0]!, objects: [] }, { ...set.images[1]!, objects: [crowd] }, set.images[2]!];
    expect(trainableImages({ ...set, images })).toEqual([set.images[2]]);
  });
});

describe("commonShapes", () => {
  const shape = (height: number) => [2, height, 8, 3] as const;
  const times = (count: number, height: number) => Array.from({ length: count }, () => shape(height));

  it("are those that 20 batches have, and a tenth of all", () => {
    expect(commonShapes([...times(20, 1), ...times(19, 2), ...times(30, 3)])).toEqual([shape(1), shape(3)]);
    expect(commonShapes([...times(170, 1), ...times(50, 2), ...times(24, 3)])).toEqual([shape(1), shape(2)]);
    expect(commonShapes(times(6, 1))).toEqual([]);
  });
});

describe("firstShapes", () => {
  it("are the shapes of the batches that a training reads", async () => {
    const set = tinySet();
    const recipe = tinyDetection();
    const draw = () =>
      shuffledBatches(trainableImages(set), recipe.batchSize, (pass) => randomStream(1, "shuffle", pass));
    const augment = (step: number) => randomStream(1, "augment", step);
    const batches = draw();
    const read: number[][] = [];
    for (let step = 0; step < recipe.schedule.iterations; step++) {
      const { images } = await readTrainingBatch(set, batches.next().value, recipe, augment(step));
      read.push(images.shape);
      images.dispose();
    }
    expect(firstShapes(draw(), recipe, augment)).toEqual(read);
    expect(new Set(read.map(String)).size).toBeGreaterThan(1);
  });
});
