import { InputError } from "../engine/errors";

/** A tensor outside the engine: float32 values in row-major order. */
export interface HostTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** What a safetensors file holds. */
export interface SafetensorsContent {
  readonly tensors: ReadonlyMap<string, HostTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

// The format's own limit: a header beyond it is no header.
const maximumHeaderBytes = 100_000_000;

/** Encodes float32 tensors and text metadata in the safetensors format. */
export function encodeSafetensors({ tensors, metadata }: SafetensorsContent): Buffer {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const [name, { shape, values }] of tensors) {
    header[name] = { dtype: "F32", shape, data_offsets: [offset, offset + values.byteLength] };
    offset += values.byteLength;
  }
  // Padded with spaces, so that the values start at a multiple of 8 bytes.
  const text = JSON.stringify(header);
  const headerBytes = Buffer.from(text.padEnd(text.length + ((8 - (Buffer.byteLength(text) % 8)) % 8)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(headerBytes.length));
  const bodies = [...tensors.values()].map(({ values }) =>
    Buffer.from(values.buffer, values.byteOffset, values.byteLength),
  );
  return Buffer.concat([length, headerBytes, ...bodies]);
}

/**
 * Decodes a safetensors file of float32 tensors.
 *
 * @param source - the file's name, for messages
 * @throws InputError if it is cut short, malformed, or holds another type
 */
export function decodeSafetensors(bytes: Buffer, source: string): SafetensorsContent {
  const fail = (problem: string): never => {
    throw new InputError(`Cannot read ${source}: ${problem}. It is damaged or no safetensors file; take another copy`);
  };
  if (bytes.length < 8) fail(`it has only ${bytes.length} bytes`);
  const headerLength = Number(bytes.readBigUInt64LE(0));
  if (headerLength > maximumHeaderBytes || headerLength > bytes.length - 8) {
    fail(`its header claims ${headerLength} bytes of ${bytes.length}`);
  }
  const body = bytes.subarray(8 + headerLength);
  const tensors = new Map<string, HostTensor>();
  let metadata: Record<string, string> = {};
  for (const [name, entry] of Object.entries(parseHeader(bytes.subarray(8, 8 + headerLength), fail))) {
    if (name === "__metadata__") {
      if (!Object.values(entry as object).every((text) => typeof text === "string"))
        fail("its metadata is not all text");
      metadata = entry as Record<string, string>;
      continue;
    }
    const { dtype, shape, data_offsets: range } = entry as { dtype?: unknown; shape?: unknown; data_offsets?: unknown };
    if (dtype !== "F32") fail(`"${name}" is of type ${String(dtype)}, only F32 is read`);
    if (!isSizes(shape) || !isSizes(range) || range.length !== 2) return fail(`"${name}" has no valid shape or place`);
    const [start, end] = range as [number, number];
    const count = shape.reduce((product, size) => product * size, 1);
    if (end > body.length || end - start !== count * 4) fail(`the values of "${name}" do not lie within the file`);
    tensors.set(name, { shape, values: new Float32Array(Uint8Array.from(body.subarray(start, end)).buffer) });
  }
  return { tensors, metadata };
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
