import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "../errors";
import { randomStream } from "../engine/random";
import { joinParts, takeImages } from "./image-data";
import type { ImageData, PixelSet } from "./image-set";
import { splitByGroup } from "./split-by-group";

/** Class names in the order of the labels, as in the data set's `batches.meta.txt`. */
const cifar10Classes = [
  "airplane",
  "automobile",
  "bird",
  "cat",
  "deer",
  "dog",
  "frog",
  "horse",
  "ship",
  "truck",
] as const;

/** Folder that the official archive unpacks to. */
export const cifar10Folder = "cifar-10-batches-bin";

/** The official archive (www.cs.toronto.edu/~kriz/cifar.html), which `moco data get cifar10` unpacks. */
const archiveFile = "cifar-10-binary.tar.gz";

/** Files of the binary version with their SHA-1, from Apache MXNet, python/mxnet/gluon/data/vision/datasets.py (class CIFAR10). */
const trainFiles = {
  "data_batch_1.bin": "aadd24acce27caa71bf4b10992e9e7b2d74c2540",
  "data_batch_2.bin": "c0ba65cce70568cd57b4e03e9ac8d2a5367c1795",
  "data_batch_3.bin": "1dd00a74ab1d17a6e7d73e185b69dbf31242f295",
  "data_batch_4.bin": "aab85764eb3584312d3c7f65fd2fd016e36a258e",
  "data_batch_5.bin": "26e2849e66a845b7f1e4614ae70f4889ae604628",
} as const;
const testFiles = { "test_batch.bin": "67eb016db431130d61cd03c7ad570b013799c88c" } as const;

/** All files of the binary version with their SHA-1. */
export const cifar10Files: Readonly<Record<string, string>> = { ...trainFiles, ...testFiles };

const side = 32;
const plane = side * side;
const recordBytes = 1 + 3 * plane;

/** Share of each class of the 50,000 training images that is kept for validation. */
const validationShare = 0.15;
const splitSeed = 0;

/**
 * Loads CIFAR-10 from its binary version: five training files and a test file of records of 1 label and 3,072 pixel bytes
 * (red, green, blue plane, each in rows).
 *
 * The data set has no validation part: a seeded 15 % of each class of the training images becomes one (7,500 of 50,000),
 * and pre-training sees the other 42,500. Each image is a group of its own; there are no twins.
 *
 * @param folder - folder with the six files
 * @throws InputError when a file is missing, is not made of whole records, or has a label above 9
 */
export async function loadCifar10(folder: string): Promise<ImageData<PixelSet>> {
  const pool = await readBatches(folder, Object.keys(trainFiles), 0);
  const test = await readBatches(folder, Object.keys(testFiles), pool.labels.length);
  const parts = splitByGroup(pool, [1 - validationShare, validationShare], randomStream(splitSeed, "cifar10 split"));
  const part = (wanted: number): number[] => [...parts.keys()].filter((index) => parts[index] === wanted);
  return joinParts(
    "cifar10",
    takeImages(pool, "cifar10/train", part(0)),
    takeImages(pool, "cifar10/validation", part(1)),
    { ...test, name: "cifar10/test" },
  );
}

/**
 * Files whose bytes are not those of the official binary version, by SHA-1.
 *
 * @returns a line for each such file; none when all are right
 * @throws InputError when a file is missing
 */
export async function wrongCifar10Files(folder: string): Promise<readonly string[]> {
  const wrong: string[] = [];
  for (const [file, expected] of Object.entries(cifar10Files)) {
    const found = createHash("sha1")
      .update(await readBatch(folder, file))
      .digest("hex");
    if (found !== expected) wrong.push(`${file}: SHA-1 must be ${expected}, current value is ${found}`);
  }
  return wrong;
}

/** The images of some files, one after the other, as one set. */
async function readBatches(folder: string, files: readonly string[], firstGroup: number): Promise<PixelSet> {
  const batches: Buffer[] = [];
  for (const file of files) {
    const batch = await readBatch(folder, file);
    if (batch.length === 0 || batch.length % recordBytes !== 0) {
      throw new InputError(
        `Cannot read CIFAR-10: ${join(folder, file)} must be made of records of ${recordBytes} bytes; ` +
          `unpack ${archiveFile} again, current size is ${batch.length} bytes`,
      );
    }
    batches.push(batch);
  }
  const count = batches.reduce((sum, batch) => sum + batch.length / recordBytes, 0);
  const pixels = new Uint8Array(count * 3 * plane);
  const labels = new Int32Array(count);
  const ids: string[] = [];
  batches.forEach((batch, file) => {
    for (let record = 0; record < batch.length / recordBytes; record++) {
      const start = record * recordBytes;
      const label = batch[start]!;
      if (label >= cifar10Classes.length) {
        throw new InputError(
          `Cannot read CIFAR-10: the label of record ${record} of ${join(folder, files[file]!)} must be 0 to 9; ` +
            `unpack ${archiveFile} again, current value is ${label}`,
        );
      }
      const place = ids.length;
      labels[place] = label;
      for (let pixel = 0; pixel < plane; pixel++) {
        for (let channel = 0; channel < 3; channel++) {
          pixels[(place * plane + pixel) * 3 + channel] = batch[start + 1 + channel * plane + pixel]!;
        }
      }
      ids.push(`${files[file]}/${record}`);
    }
  });
  const groups = Int32Array.from(labels, (_, index) => firstGroup + index);
  return { name: "cifar10", size: side, pixels, labels, classes: cifar10Classes, groups, twins: undefined, ids };
}

async function readBatch(folder: string, file: string): Promise<Buffer> {
  try {
    return await readFile(join(folder, file));
  } catch (cause) {
    throw new InputError(
      `Cannot read CIFAR-10: get it by: moco data get cifar10, or unpack ${archiveFile} so that its files lie in ${folder}; missing is ${file}`,
      { cause },
    );
  }
}
