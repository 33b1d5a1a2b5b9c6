import { mkdir, readdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "../../errors";
import { readMatlabFile } from "./matlab-file";

const kit = "ILSVRC2012_devkit_t12/data";

/**
 * Puts ImageNet's validation images, which lie in one folder, into class folders named as those of the training images, by
 * the development kit: `ILSVRC2012_val_00000001.JPEG` is of the class on line 1 of its ground truth.
 *
 * @param folder - has `val` and the unpacked development kit
 * @throws InputError if the development kit and the images do not fit
 */
export async function makeValidationClasses(folder: string, signal?: AbortSignal): Promise<void> {
  const metaFile = join(folder, kit, "meta.mat");
  const truthFile = join(folder, kit, "ILSVRC2012_validation_ground_truth.txt");
  const classes = classNames(await readFile(metaFile), metaFile);
  const lines = (await readFile(truthFile, "utf8")).split("\n").filter((line) => line !== "");
  const images = (await readdir(join(folder, "val"))).sort();
  const made = new Set<string>();
  for (const image of images) {
    signal?.throwIfAborted();
    const number = Number(/^ILSVRC2012_val_(\d{8})\.JPEG$/.exec(image)?.[1]);
    const name = classes.get(Number(lines[number - 1]));
    if (name === undefined) {
      throw new InputError(
        `Cannot sort ImageNet's validation images: ${truthFile} must have the class of each, there is none of ${image}`,
      );
    }
    if (!made.has(name)) await mkdir(join(folder, "val", name));
    made.add(name);
    await rename(join(folder, "val", image), join(folder, "val", name, image));
  }
}

/** WordNet ids, "n02119789", by the kit's numbers. */
function classNames(bytes: Buffer, source: string): ReadonlyMap<number, string> {
  const synsets = readMatlabFile(bytes, source).get("synsets");
  const names = new Map<number, string>();
  for (const synset of Array.isArray(synsets) ? (synsets as unknown[]) : []) {
    const { ILSVRC2012_ID: id, WNID: name } = (synset ?? {}) as Readonly<Record<string, unknown>>;
    // It becomes a folder's name.
    if (Array.isArray(id) && typeof name === "string" && /^n\d{8}$/.test(name)) names.set(Number(id[0]), name);
  }
  if (names.size === 0) throw new InputError(`Cannot read ${source}: it must list synsets with ILSVRC2012_ID and WNID`);
  return names;
}
