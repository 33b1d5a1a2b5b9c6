import { readFileSync, statSync } from "node:fs";
import { sync as writeFileAtomic } from "write-file-atomic";
import { InputError } from "../engine/errors";
import type { NamedTensors } from "./checkpoint-names";
import { encodeDetectron2, isPickle, readNumpyPickle } from "./numpy-pickle";
import { failureOf } from "./read-failure";
import { decodeSafetensors, encodeSafetensors, isFloat, type StoredTensor } from "./safetensors";
import { isTorchFile, readTorchFile } from "./torch-file";

// Node reads no larger file at once. An official file of ResNet-50 with its optimiser has 0.4 GB.
const maximumFileBytes = 2 ** 31 - 1;

/**
 * Reads the tensors of a file, whatever its format: safetensors, PyTorch (`.pth.tar`, `.pth`, `.pt`; zip and legacy) or a
 * pickle of numpy arrays (detectron2's `.pkl`). Told from its content. Runs no code of the file.
 *
 * @throws InputError if the file is missing, damaged, or asks for anything but data
 */
export function readWeights(path: string): NamedTensors {
  const status = statSync(path, { throwIfNoEntry: false });
  if (!status?.isFile()) throw new InputError(`Cannot read the weights: there is no file ${path}`);
  const fail = failureOf(path);
  if (status.size > maximumFileBytes) return fail(`files up to 2 GiB are read, it has ${status.size} bytes`);
  const bytes = readFileSync(path);
  if (isTorchFile(bytes)) return { tensors: readTorchFile(bytes, fail), metadata: {} };
  if (isPickle(bytes)) return { tensors: readNumpyPickle(bytes, fail), metadata: {} };
  const { tensors, integers, metadata } = decodeSafetensors(bytes, path);
  return { tensors: new Map<string, StoredTensor>([...tensors, ...integers]), metadata };
}

/** Writes tensors: a name that ends in .pkl in detectron2's format, another in safetensors. Atomic. */
export function writeWeights(path: string, tensors: ReadonlyMap<string, StoredTensor>): void {
  writeFileAtomic(path, path.endsWith(".pkl") ? encodeDetectron2(tensors) : safetensorsOf(tensors));
}

function safetensorsOf(tensors: ReadonlyMap<string, StoredTensor>): Buffer {
  const all = [...tensors];
  return encodeSafetensors({
    tensors: new Map(all.flatMap(([name, tensor]) => (isFloat(tensor) ? [[name, tensor]] : []))),
    integers: new Map(all.flatMap(([name, tensor]) => (isFloat(tensor) ? [] : [[name, tensor]]))),
    metadata: {},
  });
}
