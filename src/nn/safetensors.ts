import { decodeElements, elementBytes, type ElementType } from "./element-types";
import { failureOf } from "./read-failure";

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

// Types by their names in the format. Others are refused.
const elementTypes: Readonly<Record<string, ElementType>> = {
  F32: "float32",
  F64: "float64",
  F16: "float16",
  BF16: "bfloat16",
  I64: "int64",
};

/** Encodes float32 and int64 tensors and text metadata in the safetensors format. */
export function encodeSafetensors({ tensors, integers, metadata }: SafetensorsContent): Buffer {
  const header: Record<string, unknown> = { __metadata__: metadata };
  // Integers first: each kind then starts at a multiple of its element's size.
  const all: readonly (readonly [string, StoredTensor])[] = [...(integers ?? []), ...tensors];
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

/**
 * Decodes a safetensors file of floating point tensors, which become float32 without a change of value, and int64 ones.
 *
 * @param source - the file's name, for messages
 * @throws InputError if it is cut short, malformed, or holds another type
 */
export function decodeSafetensors(bytes: Buffer, source: string): Required<SafetensorsContent> {
  const failed = failureOf(source);
  const fail = (problem: string): never =>
    failed(`${problem}. It is damaged or no safetensors file; take another copy`);
  if (bytes.length < 8) fail(`it has only ${bytes.length} bytes`);
  const headerLength = Number(bytes.readBigUInt64LE(0));
  if (headerLength > maximumHeaderBytes || headerLength > bytes.length - 8) {
    fail(`its header claims ${headerLength} bytes of ${bytes.length}`);
  }
  const body = bytes.subarray(8 + headerLength);
  const tensors = new Map<string, HostTensor>();
  const integers = new Map<string, IntegerTensor>();
  let total = 0;
  let metadata: Record<string, string> = {};
  for (const [name, entry] of Object.entries(parseHeader(bytes.subarray(8, 8 + headerLength), fail))) {
    if (name === "__metadata__") {
      if (!Object.values(entry as object).every((text) => typeof text === "string"))
        fail("its metadata is not all text");
      metadata = entry as Record<string, string>;
      continue;
    }
    if (!isTensorName(name)) fail(`${JSON.stringify(name.slice(0, 200))} is no name of a tensor`);
    const { dtype, shape, data_offsets: range } = entry as { dtype?: unknown; shape?: unknown; data_offsets?: unknown };
    const type = elementTypes[String(dtype)];
    if (type === undefined) {
      return failed(`"${name}" is of type ${String(dtype)}, only ${Object.keys(elementTypes).join(", ")} are read`);
    }
    if (!isSizes(shape) || !isSizes(range) || range.length !== 2) return fail(`"${name}" has no valid shape or place`);
    const [start, end] = range as [number, number];
    const size = shape.reduce((product, length) => product * length, elementBytes[type]);
    if (end > body.length || end - start !== size) fail(`the values of "${name}" do not lie within the file`);
    // The format forbids it; many entries of the same bytes would fill the memory.
    if ((total += size) > body.length) fail(`the values of "${name}" overlap others`);
    const values = decodeElements(type, body.subarray(start, end), name, failed);
    if (values instanceof Float32Array) tensors.set(name, { shape, values });
    else integers.set(name, { shape, values });
  }
  return { tensors, integers, metadata };
}

function parseHeader(bytes: Buffer, fail: (problem: string) => never): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(bytes.toString("utf8"));
  } catch {
    fail("its header is not JSON");
  }
  if (typeof header !== "object" || header === null || Array.isArray(header)) fail("its header is no JSON object");
  for (const [name, entry] of Object.entries(header)) {
    if (typeof entry !== "object" || entry === null) fail(`its entry "${name}" is no JSON object`);
  }
  return header as Record<string, unknown>;
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && (size as number) >= 0);
}
