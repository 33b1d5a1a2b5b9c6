import { elementBytes, type ElementType } from "./element-types";
import { readStateDict, Storage, TensorView } from "./pickled-tensors";
import type { Fail } from "./read-failure";
import type { StoredTensor } from "./safetensors";
import { PickleGlobal, unpickle, type Stateful } from "./unpickle";

const elementTypes: ReadonlyMap<unknown, ElementType> = new Map([
  ["f8", "float64"],
  ["f4", "float32"],
  ["f2", "float16"],
  ["i8", "int64"],
  ["i4", "int32"],
  ["i2", "int16"],
  ["i1", "int8"],
  ["u1", "uint8"],
  ["b1", "bool"],
]);

/** All that a pickle of numpy arrays may name. */
const numpyGlobals: readonly PickleGlobal[] = [
  new PickleGlobal("collections.OrderedDict", () => new Map()),
  new PickleGlobal("numpy.ndarray"),
  new PickleGlobal("numpy.dtype", ([name], fail) => {
    // A list is not shown: it may unfold without end.
    const shown = typeof name === "string" ? JSON.stringify(name.slice(0, 50)) : "something that is no text";
    return new ElementDescription(elementTypes.get(name) ?? fail(`an array is of type ${shown}`));
  }),
  // The module was renamed in numpy 2.
  ...["numpy.core", "numpy._core"].flatMap((core) => [
    new PickleGlobal(`${core}.multiarray._reconstruct`, () => new PickledArray()),
    new PickleGlobal(`${core}.numeric._frombuffer`, ([bytes, type, shape, order], fail) => {
      const array = new PickledArray();
      array.setState([1, shape, type, order === "F", bytes], fail);
      return array;
    }),
  ]),
  // How protocol 2 writes bytes: as text, one character a byte.
  new PickleGlobal("_codecs.encode", ([text, encoding], fail) =>
    // eslint-disable-next-line no-control-regex -- every character of Latin-1 is a byte
    typeof text === "string" && encoding === "latin1" && /^[\x00-\xff]*$/.test(text)
      ? text
      : fail("it encodes text in an unknown way"),
  ),
];

/** Whether a file starts as a pickle does. */
export function isPickle(bytes: Buffer): boolean {
  return bytes[0] === 0x80;
}

/** Reads the numpy arrays of a pickle as detectron2 loads them: a dictionary, or one under "model". */
export function readNumpyPickle(bytes: Buffer, fail: Fail): Map<string, StoredTensor> {
  const { value } = unpickle(bytes, { globals: numpyGlobals, fail });
  return readStateDict(value, (array) => (array instanceof PickledArray ? array.view : undefined), bytes.length, fail);
}

/** A numpy dtype: a number's type and byte order. */
class ElementDescription implements Stateful {
  littleEndian = false;

  constructor(readonly type: ElementType) {}

  setState(state: unknown): void {
    const order: unknown = Array.isArray(state) ? (state as unknown[])[1] : undefined;
    this.littleEndian = order === "<" || (order === "|" && elementBytes[this.type] === 1);
  }
}

/** A numpy array, empty until the pickle gives its state. */
class PickledArray implements Stateful {
  view: TensorView | undefined;

  /** @param state - version, shape, type, whether column-major, and the bytes */
  setState(state: unknown, fail: Fail): void {
    const [, shape, description, columnMajor, data] = Array.isArray(state) ? (state as unknown[]) : [];
    if (!(description instanceof ElementDescription)) return fail("an array has no type");
    if (!description.littleEndian) return fail("an array is not little-endian: save it on another machine");
    if (typeof data !== "string" && !(data instanceof Uint8Array)) return fail("an array has no bytes");
    const { type } = description;
    const bytes = () => (typeof data === "string" ? Buffer.from(data, "latin1") : data);
    const storage = new Storage(type, Math.floor(data.length / elementBytes[type]), bytes);
    this.view = new TensorView(storage, 0, shape, columnMajor === true ? "F" : "C");
  }
}

/**
 * Writes tensors as detectron2 takes pre-trained weights: a pickle of numpy arrays under "model", with the mark that their
 * names are matched by its heuristics. Protocol 3, the first that has bytes; every Python 3 reads it.
 */
export function encodeDetectron2(tensors: ReadonlyMap<string, StoredTensor>): Buffer {
  const model = [...tensors].flatMap(([name, tensor]) => [text(name), ...array(tensor)]);
  const marks = [text("__author__"), text("moco-kit"), text("matching_heuristics"), newTrue];
  return Buffer.concat([
    Buffer.from([0x80, 3]), // PROTO
    ...[emptyDictionary, mark, text("model"), emptyDictionary, mark, ...model, setItems, ...marks, setItems],
    Buffer.from("."), // STOP
  ]);
}

const [emptyDictionary, mark, setItems, tuple, reduce, build, none] = [..."}(utRbN"].map((code) =>
  Buffer.from(code),
) as [Buffer, Buffer, Buffer, Buffer, Buffer, Buffer, Buffer];
const [newTrue, newFalse] = [Buffer.from([0x88]), Buffer.from([0x89])];

/** What numpy itself writes for an array: an empty one, which is then given its state. */
function array({ shape, values }: StoredTensor): Buffer[] {
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  const type = values instanceof Float32Array ? "f4" : "i8";
  return [
    global("numpy.core.multiarray", "_reconstruct"),
    ...[mark, global("numpy", "ndarray"), mark, integer(0), tuple, binary(Buffer.from("b")), tuple, reduce],
    ...[mark, integer(1), mark, ...shape.map(integer), tuple],
    ...[global("numpy", "dtype"), mark, text(type), newFalse, newTrue, tuple, reduce],
    ...[mark, integer(3), text("<"), none, none, none, integer(-1), integer(-1), integer(0), tuple, build],
    ...[newFalse, binary(bytes), tuple, build],
  ];
}

function global(module: string, name: string): Buffer {
  return Buffer.from(`c${module}\n${name}\n`);
}

function text(value: string): Buffer {
  return withLength("X", Buffer.from(value));
}

function binary(value: Buffer): Buffer {
  return withLength("B", value);
}

function withLength(code: string, value: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(code);
  head.writeUInt32LE(value.length, 1);
  return Buffer.concat([head, value]);
}

function integer(value: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes.write("J"); // BININT
  bytes.writeInt32LE(value, 1);
  return bytes;
}
