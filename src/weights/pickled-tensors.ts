import { decodeElements, elementBytes, type ElementType } from "./element-types";
import type { Fail } from "./read-failure";
import { isTensorName, type StoredTensor } from "./safetensors";
import { PickleGlobal, refuseObject, UnreadObject } from "./unpickle";

// numpy's limit; PyTorch's tensors of networks have at most 5.
const maximumRank = 64;

// Tensors may share a storage, and float16 becomes twice as long. A file whose tensors would take more than this many
// times its own length is made to fill the memory.
const maximumExpansion = 8;

/** Keys of a dictionary that a message lists. */
const listedKeys = 20;

/** Numbers of a file that tensors show parts of. */
export class Storage {
  /**
   * @param count - numbers it holds
   * @param bytes - called when a tensor is read: exactly `count` numbers
   */
  constructor(
    readonly type: ElementType,
    readonly count: number,
    readonly bytes: () => Uint8Array,
  ) {}
}

/** A tensor as a pickle describes it: a part of a storage. Its place is unchecked until it is read. */
export class TensorView {
  /**
   * @param offset - of the first element in the storage
   * @param strides - from one element of an axis to the next; without gaps, "C" is row-major order and "F" column-major
   */
  constructor(
    readonly storage: Storage,
    readonly offset: unknown,
    readonly shape: unknown,
    readonly strides: unknown,
  ) {}
}

/** Under which keys projects keep a state dict, those of official MoCo files and of detectron2 first; looked at in this order. */
const wrappers = [
  "state_dict", // MoCo, Lightning
  "model", // detectron2
  "model_state_dict", // PyTorch's tutorials
  "net",
  "network",
  "classy_state_dict", // VISSL: classy_state_dict.base_model.model.trunk
  "base_model",
  "trunk",
  "teacher", // DINO, whose teacher is what is transferred
] as const;

/** VISSL nests four deep. */
const maximumDepth = 5;

/**
 * Finds the state dict of what a file holds: the whole, or what lies under one of {@link wrappers}. Reads its tensors; numbers,
 * text, lists and the like among them are passed over.
 *
 * @param viewOf - the tensor that a value of the pickle is, if it is one
 * @param fileBytes - length of the file, that bounds the memory taken
 * @returns by name, in the order of the file
 */
export function readStateDict(
  root: unknown,
  viewOf: (value: unknown) => TensorView | undefined,
  fileBytes: number,
  fail: Fail,
): Map<string, StoredTensor> {
  const state = findStateDict(root, (value) => viewOf(value) !== undefined, maximumDepth);
  if (state instanceof UnreadObject) return refuseObject(state, fail);
  if (state === undefined) {
    if (!(root instanceof Map)) return fail("it holds no dictionary of tensors");
    const keys = [...root.keys()].map(shown);
    const more = keys.length > listedKeys ? `, and ${keys.length - listedKeys} more` : "";
    return fail(
      `it has no state dict: sought is a dictionary of tensors, the file itself or under ${wrappers.join(", ")}; ` +
        `its keys are ${keys.slice(0, listedKeys).join(", ") || "none"}${more}`,
    );
  }
  const tensors = new Map<string, StoredTensor>();
  let bytesLeft = maximumExpansion * fileBytes;
  for (const [name, value] of state) {
    if (value instanceof UnreadObject) return refuseObject(value, fail);
    const view = viewOf(value);
    if (view === undefined && isData(value)) continue;
    if (typeof name !== "string" || !isTensorName(name)) return fail(`${shown(name)} is no name of a tensor`);
    if (view === undefined) return fail(`"${name}" in its state dict is no tensor`);
    const tensor = readView(view, name, bytesLeft, fail);
    bytesLeft -= tensor.values.byteLength;
    tensors.set(name, tensor);
  }
  return tensors;
}

/** Whether a value is none that could have been a tensor. */
function isData(value: unknown): boolean {
  return (
    typeof value !== "object" ||
    value === null ||
    Array.isArray(value) ||
    value instanceof Map ||
    value instanceof Uint8Array ||
    value instanceof PickleGlobal
  );
}

/** The dictionary with tensors, or the object that stands in its place. */
function findStateDict(
  value: unknown,
  isTensor: (value: unknown) => boolean,
  depth: number,
): ReadonlyMap<unknown, unknown> | UnreadObject | undefined {
  if (value instanceof UnreadObject) return value;
  if (!(value instanceof Map) || depth === 0) return undefined;
  const found = wrappers
    .filter((key) => value.has(key))
    .map((key) => findStateDict(value.get(key), isTensor, depth - 1))
    .filter((state) => state !== undefined);
  // A dictionary goes before an object: "model" may be the whole module beside its "state_dict".
  const inner = found.find((state) => state instanceof Map) ?? found[0];
  if (inner !== undefined) return inner;
  const values: unknown[] = [...value.values()];
  if (values.some(isTensor)) return value;
  // Tensors of a kind that is not read, for example quantized ones.
  return values.every((one) => one instanceof UnreadObject) ? values[0] : undefined;
}

/** A key for messages, as JSON, so that no control character reaches a terminal; a list may unfold without end. */
function shown(key: unknown): string {
  return typeof key === "string" ? JSON.stringify(key.slice(0, 200)) : `a key that is a ${typeof key}`;
}

function readView(view: TensorView, name: string, bytesLeft: number, fail: Fail): StoredTensor {
  const { storage, offset, shape } = view;
  if (!isSizes(shape)) return fail(`"${name}" has no valid shape`);
  const strides = view.strides === "C" || view.strides === "F" ? stridesOf(shape, view.strides) : view.strides;
  if (!isSizes(strides) || strides.length !== shape.length || !isSizes([offset])) {
    return fail(`"${name}" has no valid place in its storage`);
  }
  const first = offset as number;
  const count = shape.reduce((product, size) => product * size, 1);
  const last = shape.reduce((index, size, axis) => index + (size - 1) * strides[axis]!, first);
  // More elements than the storage has would be made out of nothing, by a stride of 0.
  if (count > 0 && (count > storage.count || last >= storage.count)) {
    return fail(`the values of "${name}" do not lie within their storage of ${storage.count}`);
  }
  // A number takes 8 bytes at most.
  if (8 * count > bytesLeft) {
    return fail(`its tensors up to "${name}" take more than ${maximumExpansion} times the file's length`);
  }
  const values = decodeElements(
    storage.type,
    count === 0 ? new Uint8Array(0) : gather(storage, first, shape, strides, count),
    name,
    fail,
  );
  return values instanceof Float32Array ? { shape, values } : { shape, values };
}

/** The bytes of the elements in row-major order. */
function gather(
  storage: Storage,
  first: number,
  shape: readonly number[],
  strides: readonly number[],
  count: number,
): Uint8Array {
  const size = elementBytes[storage.type];
  const bytes = storage.bytes();
  const inOrder = stridesOf(shape, "C");
  if (shape.every((length, axis) => length === 1 || strides[axis] === inOrder[axis])) {
    return bytes.subarray(first * size, (first + count) * size);
  }
  const gathered = new Uint8Array(count * size);
  const index = shape.map(() => 0);
  let from = first;
  for (let element = 0; element < count; element++) {
    for (let byte = 0; byte < size; byte++) gathered[element * size + byte] = bytes[from * size + byte]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return gathered;
}

/** Strides of a tensor without gaps. */
function stridesOf(shape: readonly number[], order: "C" | "F"): number[] {
  const strides = shape.map(() => 1);
  if (order === "F")
    for (let axis = 1; axis < shape.length; axis++) strides[axis] = strides[axis - 1]! * shape[axis - 1]!;
  else for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1]! * shape[axis + 1]!;
  return strides;
}

function isSizes(value: unknown): value is number[] {
  return (
    Array.isArray(value) &&
    value.length <= maximumRank &&
    value.every((size) => Number.isSafeInteger(size) && (size as number) >= 0)
  );
}
