import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { dirname, join } from "node:path";
import { InputError } from "../../errors";
import { randomStream, type Random } from "../../engine/random";
import { noFaults, refuseFaults } from "./annotation-faults";
import type { DetectionDataset } from "../detection-recipe";
import { joinSets, type DetectionSet, type ImageId, type ReadSet } from "../structures/detection-set";
import { holdOut } from "./hold-out";
import { readCoco } from "./read-coco";
import { readVoc } from "./read-voc";
import { composeScenes } from "./scenes";
import { trainableImages } from "../structures/detection-set";

/** What a detector is trained and evaluated on. All parts have the same categories. */
export interface DetectionData {
  readonly train: DetectionSet;
  readonly validation: DetectionSet | undefined;
  readonly test: DetectionSet;
  /** What the readers left out, each with its file and field: objects without area, and polygons of less than three corners. */
  readonly leftOut: readonly string[];
}

/**
 * Reads the parts that a recipe names.
 *
 * @param root - folder of the data set; scenes need none
 * @throws InputError naming every file and field that is wrong
 */
export async function loadDetectionData(dataset: DetectionDataset, root: string | undefined): Promise<DetectionData> {
  const data = dataset.kind === "scenes" ? await scenesOf(dataset) : await readFrom(existingFolder(root), dataset);
  assertUsable(data);
  return data;
}

type ComposedScenes = Extract<DetectionDataset, { kind: "scenes" }>;

/** The test part of composed scenes alone, a fifth of the work of all parts. */
export async function composedTestSet({ size, seed, test }: ComposedScenes): Promise<DetectionSet> {
  return composeScenes({ part: "test", size, seed, count: test });
}

async function scenesOf(dataset: ComposedScenes): Promise<DetectionData> {
  const { size, seed, shuffledLabels, ...counts } = dataset;
  const of = (part: "train" | "validation") => composeScenes({ part, size, seed, count: counts[part] });
  const scenes = keepingPixels(await of("train"));
  const train = shuffledLabels ? withShuffledLabels(scenes, randomStream(seed, "shuffled labels")) : scenes;
  return { train, validation: await of("validation"), test: await composedTestSet(dataset), leftOut: [] };
}

/** Composing a scene takes as long as a sixth of a training step on it, and 2,000 of them have 55 MB. */
function keepingPixels(set: DetectionSet): DetectionSet {
  const kept = new Map<ImageId, Promise<Uint8Array>>();
  return {
    ...set,
    readPixels: (image) => {
      const pixels = kept.get(image.id) ?? set.readPixels(image);
      kept.set(image.id, pixels);
      return pixels;
    },
  };
}

/** The same images and boxes, with the categories of all objects in a random order. */
function withShuffledLabels(set: DetectionSet, random: Random): DetectionSet {
  const objects = set.images.flatMap((image) => image.objects);
  const order = random.permutation(objects.length);
  let next = 0;
  const images = set.images.map((image) => ({
    ...image,
    objects: image.objects.map((object) => ({ ...object, category: objects[order[next++]!]!.category })),
  }));
  return { ...set, name: `${set.name}, labels shuffled`, images };
}

async function readFrom(root: string, dataset: Exclude<DetectionDataset, { kind: "scenes" }>): Promise<DetectionData> {
  const read = async (split: string): Promise<ReadSet> => {
    const folder = dataset.kind === "coco" ? root : join(root, dirname(split));
    const set = await (dataset.kind === "coco"
      ? readCoco(folder, split, { leaveOutEmpty: true })
      : readVoc(folder, split.slice(split.lastIndexOf("/") + 1), { leaveOutEmpty: true }));
    refuseFaults(folder, { ...noFaults(), faults: [...(await set.wrongSizes())] }, true);
    return set;
  };
  const parts: ReadSet[] = [];
  for (const split of dataset.kind === "coco" ? [dataset.train] : dataset.train) parts.push(await read(split));
  const test = await read(dataset.test);
  const train = parts.length === 1 ? parts[0]! : joinSets(parts.map(({ name }) => name).join(" + "), parts);
  const leftOut = (sets: readonly ReadSet[]) => [...new Set(sets.flatMap((set) => set.leftOut))];
  if (typeof dataset.validation === "object") {
    const { kept, heldOut } = holdOut(train, dataset.validation.heldOut);
    return { train: kept, validation: heldOut, test, leftOut: leftOut([...parts, test]) };
  }
  const validation = dataset.validation === undefined ? undefined : await read(dataset.validation);
  return { train, validation, test, leftOut: leftOut([...parts, test, ...(validation ? [validation] : [])]) };
}

function existingFolder(root: string | undefined): string {
  if (root !== undefined && statSync(root, { throwIfNoEntry: false })?.isDirectory()) return root;
  const current = root === undefined ? "there is none" : `current value is ${root}, which is no folder`;
  throw new InputError(`Cannot read the detection set: give its folder by --root, ${current}`);
}

/**
 * Checks that a detector can be trained and evaluated.
 *
 * @throws InputError if a part has no images, or other categories than the training part
 */
function assertUsable({ train, validation, test }: DetectionData): void {
  if (trainableImages(train).length === 0) {
    throw new InputError(
      `Cannot train on ${train.name}: it must have an image with an object that is no crowd, current count is 0`,
    );
  }
  const names = ({ categories }: DetectionSet) => categories.map(({ name }) => name).join(", ");
  for (const part of validation === undefined ? [test] : [validation, test]) {
    if (part.images.length === 0) {
      throw new InputError(`Cannot evaluate on ${part.name}: it must have an image, current count is 0`);
    }
    if (names(part) !== names(train)) {
      throw new InputError(
        `Cannot evaluate on ${part.name}: its categories must be those of ${train.name}, ${names(train)}, ` +
          `current are ${names(part)}`,
      );
    }
  }
}

/** SHA-256 over categories, images and their objects, in hexadecimal; the pixels are not in it. */
export function annotationChecksum({ categories, images }: DetectionSet): string {
  const hash = createHash("sha256").update(JSON.stringify(categories));
  for (const { id, fileName, width, height, objects } of images) {
    const annotations = objects.map(({ box, category, difficult, crowd }) => [box, category, difficult, crowd]);
    hash.update(JSON.stringify([id, fileName, width, height, annotations]));
  }
  return hash.digest("hex");
}
