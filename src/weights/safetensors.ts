import { checksumField, contentChecksum } from "./content-checksum";
import { decodeElements, elementBytes, type ElementType } from "./element-types";
import { failureOf, type Fail } from "./read-failure";
import { repeatedName } from "./repeated-name";

/** A tensor outside the engine: float32 values in row-major order. */
export interface HostTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Counters of a checkpoint: int64 values in row-major order. */
export interface IntegerTensor {
  readonly shape: readonly number[];
  readonly values: BigInt64Array;
}

/** A tensor of a file. */
export type StoredTensor = HostTensor | IntegerTensor;

export function isFloat(tensor: StoredTensor): tensor is HostTensor {
  return tensor.values instanceof Float32Array;
}

/** Whether a file may call a tensor so. Names of networks are shorter and plainer; others could write to a terminal. */
export function isTensorName(name: string): boolean {
  return /^[\w.-]{1,200}$/.test(name);
}

/** What a safetensors file holds. */
export interface SafetensorsContent {
  readonly tensors: ReadonlyMap<string, HostTensor>;
  /** The tensors that are no floating point; a network has none that it computes with. */
  readonly integers?: ReadonlyMap<string, IntegerTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

// The format's own limit: a header beyond it is no header.
const maximumHeaderBytes = 100_000_000;

// The format's own limit for the bytes of a tensor: it counts in 64 bits.
const maximumSize = 2 ** 64;

/** "{": the header of a safetensors file is a JSON object. */
export const headerStart = 0x7b;

// Types by their names in the format. Others are refused.
const elementTypes: ReadonlyMap<string, ElementType> = new Map([
  ["F32", "float32"],
  ["F64", "float64"],
  ["F16", "float16"],
  ["BF16", "bfloat16"],
  ["I64", "int64"],
]);

/**
 * Encodes float32 and int64 tensors and text metadata in the safetensors format, with a checksum of all of them in the
 * metadata, which {@link decodeSafetensors} verifies.
 */
export function encodeSafetensors({ tensors, integers, metadata }: SafetensorsContent): Uint8Array {
  // Integers first: each kind then starts at a multiple of its element's size.
  const all: readonly (readonly [string, StoredTensor])[] = [...(integers ?? []), ...tensors];
  const header: Record<string, unknown> = {
    __metadata__: { ...metadata, [checksumField]: contentChecksum(all, metadata) },
  };
  let offset = 0;
  for (const [name, { shape, values }] of all) {
    const dtype = values instanceof Float32Array ? "F32" : "I64";
    header[name] = { dtype, shape, data_offsets: [offset, offset + values.byteLength] };
    offset += values.byteLength;
  }
  // Padded with spaces, so that the values start at a multiple of 8 bytes.
  const text = JSON.stringify(header);
  const headerBytes = Buffer.from(text.padEnd(text.length + ((8 - (Buffer.byteLength(text) % 8)) % 8)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(headerBytes.length));
  const bodies = all.map(([, { values }]) => Buffer.from(values.buffer, values.byteOffset, values.byteLength));
  return Buffer.concat([length, headerBytes, ...bodies]);
}

/** What a safetensors file holds, without its checksum, and whether it has one. */
export interface DecodedSafetensors extends Required<SafetensorsContent> {
  /** False for files of other programs, and of the kit before it wrote checksums: damage to their values goes unseen. */
  readonly hasChecksum: boolean;
}

/**
 * Decodes a safetensors file of floating point tensors, which become float32 without a change of value, and int64 ones.
 *
 * Refuses what the format's own reader refuses, and names that stand twice.
 *
 * @param source - the file's name, for messages
 * @throws InputError if it is cut short, malformed, other than its checksum says, or holds another type
 */
export function decodeSafetensors(bytes: Uint8Array, source: string): DecodedSafetensors {
  const failed = failureOf(source);
  const fail = (problem: string): never =>
    failed(`${problem}. It is damaged or no safetensors file; take another copy`);
  if (bytes.length < 8) fail(`it has only ${bytes.length} bytes`);
  const headerLength = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (headerLength > maximumHeaderBytes || headerLength > bytes.length - 8) {
    fail(`its header claims ${headerLength} bytes of ${bytes.length}`);
  }
  const body = bytes.subarray(8 + headerLength);
  const { __metadata__: metadata = {}, ...entries } = parseHeader(bytes.subarray(8, 8 + headerLength), fail);
  if (Array.isArray(metadata) || !Object.values(metadata).every((text) => typeof text === "string")) {
    fail("its metadata is not all text");
  }
  const places = Object.entries(entries).map(([name, entry]) => placeOf(name, entry, { fail, failed }));
  assertCovered(places, body.length, fail);

  const tensors = new Map<string, HostTensor>();
  const integers = new Map<string, IntegerTensor>();
  for (const { name, type, shape, start, end } of places) {
    const values = decodeElements(type, body.subarray(start, end), name, failed);
    if (values instanceof Float32Array) tensors.set(name, { shape, values });
    else integers.set(name, { shape, values });
  }
  const { [checksumField]: checksum, ...rest } = metadata as Record<string, string>;
  if (checksum !== undefined && checksum !== contentChecksum([...integers, ...tensors], rest)) {
    fail("its content is not the one that its checksum was made of");
  }
  return { tensors, integers, metadata: rest, hasChecksum: checksum !== undefined };
}

/** Where a tensor's values lie in the file, counted from the end of the header. */
interface Place {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly start: number;
  readonly end: number;
}

function placeOf(name: string, entry: object, { fail, failed }: { readonly fail: Fail; readonly failed: Fail }): Place {
  if (!isTensorName(name)) fail(`${JSON.stringify(name.slice(0, 200))} is no name of a tensor`);
  const { dtype, shape, data_offsets: range } = entry as { dtype?: unknown; shape?: unknown; data_offsets?: unknown };
  const type = typeof dtype === "string" ? elementTypes.get(dtype) : undefined;
  if (type === undefined) {
    return failed(`"${name}" is of type ${shownType(dtype)}, only ${[...elementTypes.keys()].join(", ")} are read`);
  }
  if (!isSizes(shape) || !isSizes(range) || range.length !== 2) return fail(`"${name}" has no valid shape or place`);
  const [start, end] = range as [number, number];
  const size = shape.reduce((product, length) => {
    // The format's rule, also where a later length is 0.
    if (product * length >= maximumSize) fail(`the shape of "${name}" is of 2^64 bytes or more`);
    return product * length;
  }, elementBytes[type]);
  if (end - start !== size) fail(`the values of "${name}" are ${end - start} bytes, by its shape ${size}`);
  return { name, type, shape, start, end };
}

/** The format's rule: the tensors' values follow each other without a gap, from the end of the header to that of the file. */
function assertCovered(places: readonly Place[], length: number, fail: Fail): void {
  let covered = 0;
  for (const { name, start, end } of [...places].sort((a, b) => a.start - b.start || a.end - b.end)) {
    if (end > length) fail(`the values of "${name}" do not lie within the file`);
    if (start < covered) fail(`the values of "${name}" overlap others`);
    if (start > covered) fail(`${start - covered} bytes before the values of "${name}" belong to no tensor`);
    covered = end;
  }
  if (covered < length) fail(`${length - covered} bytes at its end belong to no tensor`);
}

function parseHeader(bytes: Uint8Array, fail: Fail): Record<string, object> {
  // The format asks for it: no spaces before it, no mark of the byte order.
  if (bytes[0] !== headerStart) fail('its header does not start with "{"');
  let text: string;
  let header: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    header = JSON.parse(text);
  } catch {
    return fail("its header is not JSON");
  }
  for (const [name, entry] of Object.entries(header as object)) {
    if (typeof entry !== "object" || entry === null) fail(`its entry ${JSON.stringify(name)} is no JSON object`);
  }
  const twice = repeatedName(text);
  if (twice !== undefined) fail(`its header has ${JSON.stringify(twice.slice(0, 200))} twice`);
  return header as Record<string, object>;
}

/** Plain names as they are, others as JSON, so that no control character reaches a terminal. */
function shownType(dtype: unknown): string {
  if (dtype === undefined) return "undefined";
  if (typeof dtype !== "string") return "something that is no text";
  return /^\w{1,50}$/.test(dtype) ? dtype : JSON.stringify(dtype.slice(0, 50));
}

function isSizes(value: unknown): value is number[] {
  return (
    Array.isArray(value) &&
    value.every((size) => Number.isSafeInteger(size) && (size as number) >= 0 && !Object.is(size, -0))
  );
}
