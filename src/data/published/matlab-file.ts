import { inflateSync } from "node:zlib";
import { InputError } from "../../errors";

/** A value of MATLAB's: numbers in the order of the file, text, or the elements of an array of structures. */
export type MatlabValue = readonly number[] | string | readonly Readonly<Record<string, unknown>>[];

/** The part before the first variable: text, version and byte order. */
const headerBytes = 128;

/** All variables of a description file are not longer; a small file could claim to. */
const maximumBytes = 2 ** 24;

/** Types of data elements (MAT-File Format, level 5, table 1-1). */
const compressed = 15;
const matrix = 14;
const numberReaders: Readonly<Record<number, readonly [bytes: number, read: (data: Buffer, at: number) => number]>> = {
  1: [1, (data, at) => data.readInt8(at)],
  2: [1, (data, at) => data.readUInt8(at)],
  3: [2, (data, at) => data.readInt16LE(at)],
  4: [2, (data, at) => data.readUInt16LE(at)],
  5: [4, (data, at) => data.readInt32LE(at)],
  6: [4, (data, at) => data.readUInt32LE(at)],
  7: [4, (data, at) => data.readFloatLE(at)],
  9: [8, (data, at) => data.readDoubleLE(at)],
  16: [1, (data, at) => data.readUInt8(at)], // UTF-8; names in such files are ASCII
  17: [2, (data, at) => data.readUInt16LE(at)],
};

/** Classes of arrays (table 1-3). */
const structureClass = 2;
const textClass = 4;

/**
 * Reads the variables of a MATLAB file of level 5, as far as ImageNet's description of its classes needs it: numbers, text
 * and arrays of structures.
 *
 * @param source - the file's name, for messages
 * @throws InputError if it is another kind of file, or damaged
 */
export function readMatlabFile(bytes: Buffer, source: string): ReadonlyMap<string, MatlabValue> {
  const fail = (problem: string): never => {
    throw new InputError(`Cannot read ${source}: ${problem}; unpack it again`);
  };
  if (bytes.length < headerBytes || bytes.toString("latin1", 126, 128) !== "IM") {
    return fail("it is no MATLAB file of level 5, little-endian");
  }
  try {
    let room = maximumBytes;
    const variables = elementsOf(bytes.subarray(headerBytes)).flatMap(({ type, data }) => {
      if (type !== compressed) return [{ type, data }];
      const inflated = inflateSync(data, { maxOutputLength: room });
      room -= inflated.length;
      return elementsOf(inflated);
    });
    return new Map(variables.filter(({ type }) => type === matrix).map(({ data }) => arrayOf(data)));
  } catch (error) {
    return fail(`it is damaged (${error instanceof Error ? error.message : String(error)})`);
  }
}

interface Element {
  readonly type: number;
  readonly data: Buffer;
}

/** The data elements that follow each other: type, length, contents, filled up to 8 bytes; short ones in 8 bytes altogether. */
function elementsOf(bytes: Buffer): Element[] {
  const elements: Element[] = [];
  for (let at = 0; at + 8 <= bytes.length;) {
    const short = bytes.readUInt16LE(at + 2);
    const type = short > 0 ? bytes.readUInt16LE(at) : bytes.readUInt32LE(at);
    const length = short > 0 ? short : bytes.readUInt32LE(at + 4);
    const start = short > 0 ? at + 4 : at + 8;
    if (start + length > bytes.length) throw new Error("an element is cut short");
    elements.push({ type, data: bytes.subarray(start, start + length) });
    // Compressed elements are not filled up.
    at = short > 0 ? at + 8 : start + (type === compressed ? length : 8 * Math.ceil(length / 8));
  }
  return elements;
}

/** An array: flags, dimensions, name, and what its class has. */
function arrayOf(bytes: Buffer): [name: string, value: MatlabValue] {
  if (bytes.length === 0) return ["", []];
  const [flags, dimensions, name, ...contents] = elementsOf(bytes);
  if (!flags || !dimensions || !name) throw new Error("an array has no description");
  const kind = flags.data.readUInt8(0);
  const text = name.data.toString("latin1");
  if (kind === structureClass) return [text, structuresOf(dimensions, contents)];
  const numbers = contents[0] ? numbersOf(contents[0]) : [];
  return [text, kind === textClass ? String.fromCharCode(...numbers) : numbers];
}

/** Each field has a name of a fixed length; then come the fields of the first structure, of the second, and so on. */
function structuresOf(
  dimensions: Element,
  [nameLength, names, ...values]: readonly Element[],
): Record<string, unknown>[] {
  if (!nameLength || !names) throw new Error("a structure has no names of fields");
  const [length = 0] = numbersOf(nameLength);
  if (!(length >= 1)) throw new Error("names of fields have no length");
  const fields = Array.from({ length: Math.floor(names.data.length / length) }, (_, index) =>
    names.data.toString("latin1", index * length, (index + 1) * length).replace(/\0.*$/s, ""),
  );
  // Structures without fields would take no room in the file, and may be any number.
  if (fields.length === 0) throw new Error("a structure has no fields");
  const count = numbersOf(dimensions).reduce((product, size) => product * size, 1);
  if (count * fields.length !== values.length) throw new Error("structures have other fields than named");
  return Array.from({ length: count }, (_, index) =>
    Object.fromEntries(fields.map((field, at) => [field, arrayOf(values[index * fields.length + at]!.data)[1]])),
  );
}

function numbersOf({ type, data }: Element): number[] {
  const reader = numberReaders[type];
  if (reader === undefined) throw new Error(`numbers of type ${type} are unknown`);
  const [bytes, read] = reader;
  return Array.from({ length: Math.floor(data.length / bytes) }, (_, index) => read(data, index * bytes));
}
