import { elementBytes, type ElementType } from "./element-types";
import { readStateDict, Storage, TensorView } from "./pickled-tensors";
import type { Fail } from "./read-failure";
import type { StoredTensor } from "./safetensors";
import { openStoredZip } from "./stored-zip";
import { PickleGlobal, unpickle, UnreadObject } from "./unpickle";

/** How every legacy file starts: a pickle of PyTorch's magic number. */
const legacyStart = Buffer.from("80028a0a6cfc9c46f9206aa850192e", "hex");
const zipStart = Buffer.from("PK\x03\x04", "latin1");

const legacyProtocol = 1001;

const storageTypes: Readonly<Record<string, ElementType>> = {
  FloatStorage: "float32",
  DoubleStorage: "float64",
  HalfStorage: "float16",
  BFloat16Storage: "bfloat16",
  LongStorage: "int64",
  IntStorage: "int32",
  ShortStorage: "int16",
  CharStorage: "int8",
  ByteStorage: "uint8",
  BoolStorage: "bool",
};

const rebuildFromType = "torch._tensor._rebuild_from_type_v2";

/**
 * What PyTorch's own safe loader (torch/_weights_only_unpickler.py) allows besides what builds dictionaries and tensors. It stands
 * beside tensors, is never run, and nobody asks for it: what it would be made of stands for it.
 */
const calledForData = [
  ...["torch.Size", "torch.device", "torch.serialization._get_layout", "collections.Counter", "_codecs.encode"],
  // Python 2's names too, which files of protocol 2 have.
  ...["builtins", "__builtin__"].flatMap((module) =>
    ["set", "complex", "bytearray"].map((name) => `${module}.${name}`),
  ),
];
const dataTypes = [
  ...["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64"],
  ...["complex32", "complex64", "complex128"],
];

/** What has a meaning in a file of `torch.save`: what builds dictionaries and tensors, and data beside them. */
const torchGlobals: readonly PickleGlobal[] = [
  new PickleGlobal("collections.OrderedDict", ([entries = []], fail) => {
    // Python 2 gives the entries as pairs.
    const pairs = Array.isArray(entries) ? (entries as unknown[]) : fail("an OrderedDict has no list of entries");
    return new Map(pairs.map((pair) => (Array.isArray(pair) ? [pair[0], pair[1]] : fail("an entry is no pair"))));
  }),
  new PickleGlobal("torch._utils._rebuild_tensor", rebuildTensor),
  new PickleGlobal("torch._utils._rebuild_tensor_v2", rebuildTensor),
  new PickleGlobal("torch._utils._rebuild_parameter", ([tensor]) => tensor),
  new PickleGlobal("torch._utils._rebuild_parameter_with_state", ([tensor]) => tensor),
  // A tensor of a class of its own, perhaps with attributes: function, class, arguments, attributes.
  new PickleGlobal(rebuildFromType, ([rebuild, , args], fail) => {
    if (!(rebuild instanceof PickleGlobal && rebuild.call && Array.isArray(args))) return rebuild;
    // The arguments could hold themselves.
    return rebuild.name === rebuildFromType
      ? fail("a tensor is rebuilt as one that is rebuilt")
      : rebuild.call(args, fail);
  }),
  ...Object.keys(storageTypes).map((name) => new PickleGlobal(`torch.${name}`)),
  ...calledForData.map((name) => new PickleGlobal(name, (args) => args)),
  ...dataTypes.map((name) => new PickleGlobal(`torch.${name}`)),
];

/** Whether a file starts as those of `torch.save` do, in its zip format (PyTorch 1.6 and later) or the legacy one. */
export function isTorchFile(bytes: Buffer): boolean {
  return isZip(bytes) || bytes.subarray(0, legacyStart.length).equals(legacyStart);
}

/**
 * Reads the state dict of a file that PyTorch's `torch.save` wrote (`.pth.tar`, `.pth`, `.pt`).
 *
 * The file's pickle runs no code. What it holds besides the state dict (epoch, optimizer, hyper-parameters) is passed over.
 */
export function readTorchFile(bytes: Buffer, fail: Fail): Map<string, StoredTensor> {
  const root = isZip(bytes) ? readZip(bytes, fail) : readLegacy(bytes, fail);
  return readStateDict(root, (value) => (value instanceof TensorView ? value : undefined), bytes.length, fail);
}

function isZip(bytes: Buffer): boolean {
  return bytes.subarray(0, zipStart.length).equals(zipStart);
}

function readZip(bytes: Buffer, fail: Fail): unknown {
  const archive = openStoredZip(bytes, fail);
  const pickles = archive.names.filter((name) => /^[^/]*\/data\.pkl$/.test(name));
  if (pickles.length !== 1) return fail(`it is a zip archive with ${pickles.length} data.pkl, PyTorch's have one`);
  const folder = pickles[0]!.slice(0, -"data.pkl".length);
  // Older versions of PyTorch did not write the byte order.
  const order = `${folder}byteorder`;
  if (archive.names.includes(order) && archive.read(order).toString("latin1") !== "little") {
    return fail("its numbers are not little-endian: save it on another machine");
  }
  const load = storages(fail, ({ key, type, count }) => {
    const contents = archive.read(`${folder}data/${key}`);
    return contents.length === count * elementBytes[type] ? contents : fail(`its storage ${key} has a wrong length`);
  });
  return unpickle(archive.read(pickles[0]!), { globals: torchGlobals, load: load.storage, fail }).value;
}

/** Pickles of magic number, protocol, facts of the machine, the object, and the storages' keys; then the storages. */
function readLegacy(bytes: Buffer, fail: Fail): unknown {
  let position = legacyStart.length;
  const contents = new Map<string, Uint8Array>();
  const load = storages(fail, ({ key }) => contents.get(key) ?? fail(`its storage ${key} is missing`));
  const next = (): unknown => {
    const { value, end } = unpickle(bytes, { globals: torchGlobals, load: load.storage, start: position, fail });
    position = end;
    return value;
  };
  const protocol = next();
  if (protocol !== legacyProtocol) {
    const shown = typeof protocol === "number" ? String(protocol) : "no number";
    return fail(`its format is ${shown}, only ${legacyProtocol} is known`);
  }
  const machine = next();
  if (!(machine instanceof Map) || machine.get("little_endian") !== true) {
    return fail("its numbers are not little-endian: save it on another machine");
  }
  const root = next();
  const keys = next();
  if (!Array.isArray(keys)) return fail("it has no list of storages");
  for (const key of keys as unknown[]) {
    const reference = load.references.get(key) ?? fail("it lists a storage that nothing uses");
    const first = position + 8;
    const end = first + reference.count * elementBytes[reference.type];
    if (end > bytes.length) return fail(`its storage ${reference.key} is cut short: take another copy`);
    if (bytes.readBigInt64LE(position) !== BigInt(reference.count)) {
      return fail(`its storage ${reference.key} has a wrong length`);
    }
    contents.set(reference.key, bytes.subarray(first, end));
    position = end;
  }
  return root;
}

interface StorageReference {
  readonly key: string;
  readonly type: ElementType;
  readonly count: number;
}

/** Resolves the pickle's references to storages: the same reference gives the same storage. */
function storages(fail: Fail, contentsOf: (reference: StorageReference) => Uint8Array) {
  const references = new Map<unknown, StorageReference>();
  const storage = (value: unknown): Storage | UnreadObject => {
    const [tag, type, key, , count, view] = Array.isArray(value) ? (value as unknown[]) : [];
    if (type instanceof UnreadObject) return type; // numbers of a type that is not read, for example quantized ones
    const element = type instanceof PickleGlobal ? storageTypes[type.name.replace(/^torch\./, "")] : undefined;
    if (tag !== "storage" || element === undefined || typeof key !== "string" || !isCount(count)) {
      return fail("it refers to a storage in an unknown way");
    }
    if (!/^\d{1,20}$/.test(key)) return fail("a storage's key is no number");
    if (view !== undefined && view !== null) {
      return fail("it has parts of storages, as PyTorch before 0.4 wrote them: save it with a newer one");
    }
    const known = references.get(key) ?? { key, type: element, count };
    if (known.type !== element || known.count !== count) return fail(`it describes storage ${key} in two ways`);
    references.set(key, known);
    return new Storage(element, count, () => contentsOf(known));
  };
  return { references, storage };
}

function rebuildTensor([storage, offset, shape, strides]: readonly unknown[], fail: Fail): TensorView | UnreadObject {
  if (storage instanceof UnreadObject) return storage;
  if (!(storage instanceof Storage) || !Array.isArray(strides)) return fail("a tensor has no storage or no strides");
  return new TensorView(storage, offset, shape, strides);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
