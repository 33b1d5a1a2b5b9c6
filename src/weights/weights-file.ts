import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { InputError } from "../errors";
import { readGeneration } from "../files/generations";
import { replaceFile } from "../files/replace-file";
import type { NamedTensors } from "./checkpoint-names";
import { encodeDetectron2, isPickle, readNumpyPickle } from "./numpy-pickle";
import { failureOf } from "./read-failure";
import { decodeSafetensors, encodeSafetensors, headerStart, isFloat, type StoredTensor } from "./safetensors";
import { isTorchFile, readTorchFile } from "./torch-file";

// Node reads no larger file at once. An official file of ResNet-50 with its optimizer has 0.4 GB.
const maximumFileBytes = 2 ** 31 - 1;

/**
 * Reads the tensors of a file, whatever its format: safetensors, PyTorch (`.pth.tar`, `.pth`, `.pt`; zip and legacy) or a
 * pickle of numpy arrays (detectron2's `.pkl`). Told from its content. Runs no code of the file.
 *
 * @throws InputError if the file is missing, damaged, or asks for anything but data
 */
export function readWeights(path: string): NamedTensors {
  return readGeneration(path, readFile);
}

function readFile(path: string): NamedTensors {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status?.isDirectory()) {
    refuseUnpackedArchive(path);
    throw new InputError(
      `Cannot read the weights: ${path} is a folder without a checkpoint; give a file, or the folder of a run`,
    );
  }
  if (!status?.isFile()) throw new InputError(`Cannot read the weights: there is no file ${path}`);
  const fail = failureOf(path);
  if (status.size > maximumFileBytes) return fail(`files up to 2 GiB are read, it has ${status.size} bytes`);
  const bytes = readFileSync(path);
  if (isSafetensors(bytes)) {
    const { tensors, integers, metadata } = decodeSafetensors(bytes, path);
    return { tensors: new Map<string, StoredTensor>([...tensors, ...integers]), metadata };
  }
  if (isTorchFile(bytes)) return { tensors: readTorchFile(bytes, fail), metadata: {} };
  if (isPickle(bytes)) return { tensors: readNumpyPickle(bytes, fail), metadata: {} };
  const known = otherFiles.find(({ isOne }) => isOne(bytes));
  return fail(
    known?.told ??
      "it starts neither as a safetensors file does, nor as one of torch.save, nor as a pickle: take another copy",
  );
}

const startsWith =
  (...start: readonly number[]) =>
  (bytes: Buffer): boolean =>
    bytes.subarray(0, start.length).equals(Buffer.from(start));

/** What people have in the place of weights: how it is known, and what to do. */
const otherFiles: readonly { readonly isOne: (bytes: Buffer) => boolean; readonly told: string }[] = [
  { isOne: ({ length }) => length === 0, told: "it is empty: take another copy" },
  {
    isOne: (bytes) => /^\s*<(?:!doctype\s+html|html|head)\b/i.test(bytes.toString("latin1", 0, 200)),
    told: "it is a web page, perhaps the one that a link to the file shows: download the file itself",
  },
  {
    isOne: (bytes) => bytes.toString("latin1", 0, 19) === "version https://git",
    told: "it is a pointer of Git LFS, not the file that it stands for: run git lfs pull in the folder of its repository",
  },
  { isOne: startsWith(0x1f, 0x8b), told: "it is packed by gzip: unpack it, for example by gunzip" },
  { isOne: startsWith(0x42, 0x5a, 0x68), told: "it is packed by bzip2: unpack it, for example by bunzip2" },
  { isOne: startsWith(0xfd, 0x37, 0x7a, 0x58, 0x5a), told: "it is packed by xz: unpack it, for example by unxz" },
  {
    isOne: (bytes) => bytes.toString("latin1", 257, 262) === "ustar",
    told: "it is a tar archive: unpack it by tar -xf, and give the file inside",
  },
];

/**
 * Says of a folder that it is an unpacked archive of PyTorch, if it is one.
 *
 * @throws InputError if data.pkl lies in it, or in the one folder that such an archive has
 */
export function refuseUnpackedArchive(folder: string): void {
  const folders = [folder, ...readdirSync(folder).map((name) => join(folder, name))];
  const unpacked = folders.find((one) => existsSync(join(one, "data.pkl")));
  if (unpacked === undefined) return;
  // An archive of PyTorch has one folder, in which data.pkl lies.
  const [parent, name] = [dirname(resolve(unpacked)), basename(resolve(unpacked))];
  throw new InputError(
    `Cannot read the weights: ${folder} is an unpacked archive of PyTorch; give the file as it was downloaded, or pack it ` +
      `again without compression: cd "${parent}" && zip -0 -r weights.pth "${name}"`,
  );
}

/** Asked first: the length of the header, whose upper four bytes are zero, may begin with any byte, also a pickle's 0x80. */
function isSafetensors(bytes: Buffer): boolean {
  return bytes.length > 8 && bytes.readUInt32LE(4) === 0 && bytes[8] === headerStart;
}

/**
 * Writes tensors: a name that ends in .pkl in detectron2's format, another in safetensors. Atomic.
 *
 * @throws InputError if the file cannot be written there
 */
export function writeWeights(path: string, tensors: ReadonlyMap<string, StoredTensor>): void {
  const folder = dirname(path);
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw new InputError(`Cannot write the weights to ${path}: choose another folder, there is no folder ${folder}`);
  }
  const bytes = path.endsWith(".pkl") ? encodeDetectron2(tensors) : safetensorsOf(tensors);
  replaceFile(path, bytes);
}

function safetensorsOf(tensors: ReadonlyMap<string, StoredTensor>): Uint8Array {
  const all = [...tensors];
  return encodeSafetensors({
    tensors: new Map(all.flatMap(([name, tensor]) => (isFloat(tensor) ? [[name, tensor]] : []))),
    integers: new Map(all.flatMap(([name, tensor]) => (isFloat(tensor) ? [] : [[name, tensor]]))),
    metadata: {},
  });
}
