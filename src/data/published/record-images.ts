import { mkdir, open, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { InputError } from "../../errors";

/** Images decoded and written at a time. */
const writtenTogether = 64;

/** A file of images of one size, without compression: records of some bytes of labels, then a plane for each color. */
interface RecordFile {
  readonly path: string;
  readonly side: number;
  /** Bytes before the planes of a record. */
  readonly labelBytes: number;
  /** Whether a plane is stored column by column. */
  readonly columnMajor: boolean;
  /** Where an image goes. */
  readonly pathOf: (label: Buffer, index: number) => string;
  readonly signal: AbortSignal | undefined;
}

/**
 * Makes class folders of CIFAR-100's binary version: `cifar100/train/CLASS/*.png`, `cifar100/test/CLASS/*.png`, by the 100
 * fine classes.
 *
 * @param folder - has the unpacked `cifar-100-binary`
 */
export async function makeCifar100Folders(folder: string, signal?: AbortSignal): Promise<void> {
  const binary = join(folder, "cifar-100-binary");
  const classes = await readNames(join(binary, "fine_label_names.txt"));
  for (const part of ["train", "test"]) {
    await writeImages({
      path: join(binary, `${part}.bin`),
      side: 32,
      labelBytes: 2, // coarse, fine
      columnMajor: false,
      pathOf: (label, index) => join(folder, "cifar100", part, nameOf(classes, label[1]!), imageName(index)),
      signal,
    });
  }
}

/**
 * Makes class folders of STL-10's binary version: `stl10/train/CLASS/*.png`, `stl10/test/CLASS/*.png`, and
 * `stl10/unlabeled/*.png` without classes.
 *
 * @param folder - has the unpacked `stl10_binary`
 */
export async function makeStl10Folders(folder: string, signal?: AbortSignal): Promise<void> {
  const binary = join(folder, "stl10_binary");
  const classes = await readNames(join(binary, "class_names.txt"));
  for (const part of ["train", "test", "unlabeled"]) {
    const labels = part === "unlabeled" ? undefined : await readFile(join(binary, `${part}_y.bin`));
    await writeImages({
      path: join(binary, `${part}_X.bin`),
      side: 96,
      labelBytes: 0,
      columnMajor: true,
      pathOf: (_, index) =>
        // Labels count from 1.
        join(folder, "stl10", part, labels ? nameOf(classes, labels[index]! - 1) : "", imageName(index)),
      signal,
    });
  }
}

async function writeImages({ path, side, labelBytes, columnMajor, pathOf, signal }: RecordFile): Promise<void> {
  const plane = side * side;
  const recordBytes = labelBytes + 3 * plane;
  const made = new Set<string>();
  const file = await open(path);
  try {
    const { size } = await file.stat();
    if (size % recordBytes !== 0) {
      throw new InputError(
        `Cannot read ${path}: it must be made of records of ${recordBytes} bytes, current size is ${size}`,
      );
    }
    const batch = Buffer.alloc(writtenTogether * recordBytes);
    for (let first = 0; first * recordBytes < size; first += writtenTogether) {
      signal?.throwIfAborted();
      const { bytesRead } = await file.read(batch, 0, batch.length, first * recordBytes);
      const written: Promise<unknown>[] = [];
      for (let start = 0; start < bytesRead; start += recordBytes) {
        const record = batch.subarray(start, start + recordBytes);
        const target = pathOf(record.subarray(0, labelBytes), first + start / recordBytes);
        if (!made.has(dirname(target))) await mkdir(dirname(target), { recursive: true });
        made.add(dirname(target));
        const pixels = interleaved(record.subarray(labelBytes), side, columnMajor);
        written.push(
          sharp(pixels, { raw: { width: side, height: side, channels: 3 } })
            .png()
            .toFile(target),
        );
      }
      await Promise.all(written);
    }
  } finally {
    await file.close();
  }
}

/** [side, side, 3] of three planes. */
function interleaved(planes: Uint8Array, side: number, columnMajor: boolean): Uint8Array {
  const pixels = new Uint8Array(planes.length);
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const from = columnMajor ? column * side + row : row * side + column;
      for (let channel = 0; channel < 3; channel++) {
        pixels[(row * side + column) * 3 + channel] = planes[channel * side * side + from]!;
      }
    }
  }
  return pixels;
}

async function readNames(path: string): Promise<readonly string[]> {
  const names = (await readFile(path, "utf8")).split(/\r?\n/).filter((name) => name !== "");
  const wrong = names.find((name) => !/^\w+$/.test(name));
  if (wrong !== undefined)
    throw new InputError(`Cannot read ${path}: names of classes must be words, current one is "${wrong}"`);
  return names;
}

function nameOf(classes: readonly string[], label: number): string {
  const name = classes[label];
  if (name === undefined) {
    throw new InputError(`Cannot read the labels: they must be below ${classes.length}, current value is ${label}`);
  }
  return name;
}

function imageName(index: number): string {
  return `${String(index).padStart(6, "0")}.png`;
}
