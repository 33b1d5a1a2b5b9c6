import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { InputError } from "../../src/errors";
import { decodeSafetensors, encodeSafetensors, type SafetensorsContent } from "../../src/weights/safetensors";

const content: SafetensorsContent = {
  tensors: new Map([
    ["weight", { shape: [2, 3], values: Float32Array.of(1, -0, Infinity, NaN, 1e-45, -3.5) }],
    ["scalar", { shape: [], values: Float32Array.of(7) }],
    ["empty", { shape: [0, 4], values: new Float32Array(0) }],
  ]),
  metadata: { note: 'quotes " and ünïcode', lines: "a\nb" },
};

/** A file with this header and this many bytes of values. */
function file(header: unknown, bodyBytes = 24): Buffer {
  const text = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, Buffer.alloc(bodyBytes)]);
}

describe("safetensors", () => {
  it("come back bit for bit", () => {
    const decoded = decodeSafetensors(encodeSafetensors(content), "test");
    expect(decoded.metadata).toEqual(content.metadata);
    expect([...decoded.tensors.keys()]).toEqual([...content.tensors.keys()]);
    for (const [name, { shape, values }] of content.tensors) {
      const read = decoded.tensors.get(name)!;
      expect(read.shape).toEqual(shape);
      expect(Buffer.from(read.values.buffer)).toEqual(Buffer.from(values.buffer));
    }
  });

  it("hold counters as int64, beside the numbers", () => {
    const integers = new Map([["count", { shape: [2], values: BigInt64Array.of(-1n, 2n ** 62n) }]]);
    const decoded = decodeSafetensors(encodeSafetensors({ ...content, integers }), "test");
    expect(decoded.integers).toEqual(integers);
    expect(decoded.tensors).toEqual(content.tensors);
  });

  it.each([
    ["F16", "003c01000084ff7b", [1, 2 ** -24, -(2 ** -14), 65504]],
    ["BF16", "803f494080ff0100", [1, 3.140625, -Infinity, 9.183549615799121e-41]],
    ["F64", "000000000000e03f00000000000010c0", [0.5, -4]],
  ])("of type %s become float32 of the same values", (dtype, hexadecimal, values) => {
    const body = Buffer.from(hexadecimal, "hex");
    const bytes = file({ w: { dtype, shape: [values.length], data_offsets: [0, body.length] } }, body.length);
    body.copy(bytes, bytes.length - body.length);
    expect([...decodeSafetensors(bytes, "test").tensors.get("w")!.values]).toEqual(values);
  });

  it("start their values at a multiple of 8 bytes", () => {
    for (let length = 0; length < 16; length++) {
      const bytes = Buffer.from(encodeSafetensors({ ...content, metadata: { note: "é".repeat(length) } }));
      expect(Number(bytes.readBigUInt64LE(0)) % 8).toBe(0);
      expect(decodeSafetensors(bytes, "test").metadata["note"]).toHaveLength(length);
    }
  });

  it("take only the part of a buffer that a tensor shows", () => {
    const values = Float32Array.of(0, 1, 2, 3).subarray(1, 3);
    const bytes = encodeSafetensors({ tensors: new Map([["part", { shape: [2], values }]]), metadata: {} });
    expect([...decodeSafetensors(bytes, "test").tensors.get("part")!.values]).toEqual([1, 2]);
  });

  it("written by the safetensors package for Python are read", () => {
    const path = join(__dirname, "..", "methods", "fixtures", "trajectory-moco-v1.safetensors");
    const { tensors, metadata } = decodeSafetensors(readFileSync(path), path);
    expect(metadata["source"]).toContain("torch");
    const scales = tensors.get("1.batch_normalization.encoder_k.bn1.weight")!;
    expect(scales.shape).toEqual([8]);
    for (const scale of scales.values) expect(scale).toBeCloseTo(1, 0);
  });

  it("cut short anywhere are refused by the file's name", () => {
    const bytes = encodeSafetensors({ ...content, tensors: new Map([...content.tensors].slice(0, 2)) });
    for (let length = 0; length < bytes.length; length++) {
      const read = () => decodeSafetensors(bytes.subarray(0, length), "runs/a.safetensors");
      expect(read, `cut to ${length} bytes`).toThrow(InputError);
      expect(read).toThrow("Cannot read runs/a.safetensors: ");
    }
  });

  const entry = { dtype: "F32", shape: [2, 3], data_offsets: [0, 24] };
  it.each([
    ["a header that is no JSON", "{oops", "header is not JSON"],
    ["a header that is a list", [], 'header does not start with "{"'],
    ["an entry that is a number", { w: 5 }, 'entry "w" is no JSON object'],
    ["another type", { w: { ...entry, dtype: "I32" } }, '"w" is of type I32, only F32, F64, F16, BF16, I64 are read'],
    ["a name that writes to the terminal", { "\x1b[2J": entry }, '"\\u001b[2J" is no name of a tensor'],
    ["the same bytes twice", { v: entry, w: entry }, 'the values of "w" overlap others'],
    ["no shape", { w: { ...entry, shape: undefined } }, '"w" has no valid shape or place'],
    ["a negative size", { w: { ...entry, shape: [-2, -3] } }, '"w" has no valid shape or place'],
    ["a size that is no integer", { w: { ...entry, shape: [1.5, 4] } }, '"w" has no valid shape or place'],
    ["one offset", { w: { ...entry, data_offsets: [0] } }, '"w" has no valid shape or place'],
    ["offsets beyond the file", { w: { ...entry, data_offsets: [4, 28] } }, 'values of "w" do not lie within the file'],
    ["offsets the wrong way round", { w: { ...entry, data_offsets: [24, 0] } }, '"w" are -24 bytes, by its shape 24'],
    ["a shape of another size", { w: { ...entry, shape: [2, 2] } }, 'values of "w" are 24 bytes, by its shape 16'],
    ["a hole", { w: { dtype: "F32", shape: [1], data_offsets: [8, 12] } }, '8 bytes before the values of "w" belong'],
    [
      "bytes after the last tensor",
      { w: { ...entry, shape: [1], data_offsets: [0, 4] } },
      "20 bytes at its end belong",
    ],
    ["a name twice", `{"w":${JSON.stringify(entry)},"\\u0077":${JSON.stringify(entry)}}`, 'its header has "w" twice'],
    ["a type named as what objects have", { w: { ...entry, dtype: "constructor" } }, '"w" is of type constructor'],
    ["a type that writes to the terminal", { w: { ...entry, dtype: "\x1b[2J" } }, '"w" is of type "\\u001b[2J", only'],
    [
      "a type that is no text",
      { w: { ...entry, dtype: { F32: 1 } } },
      '"w" is of type something that is no text, only',
    ],
    [
      "a type nested 100,000 deep",
      `{"w":{"dtype":${"[".repeat(100_000)}${"]".repeat(100_000)}}}`,
      "something that is no text",
    ],
    ["objects nested 100,000 deep", `${'{"w":'.repeat(100_000)}1${"}".repeat(100_000)}`, '"w" is of type undefined'],
    [
      "a shape of 2^64 bytes before a length of 0",
      { w: { ...entry, shape: [2 ** 32, 2 ** 32, 0], data_offsets: [0, 0] } },
      'the shape of "w" is of 2^64 bytes or more',
    ],
    ["metadata that is no text", { __metadata__: { a: 1 } }, "metadata"],
  ])("with %s are refused", (_, header, message) => {
    const read = () => decodeSafetensors(file(header), "a.safetensors");
    expect(read).toThrow(InputError);
    expect(read).toThrow(message);
  });

  it("with a header longer than the file, or than the format allows, are refused", () => {
    const bytes = file({ w: entry });
    bytes.writeBigUInt64LE(2n ** 63n, 0);
    expect(() => decodeSafetensors(bytes, "a.safetensors")).toThrow(/its header claims/);
  });

  it("with a text of 20 million escapes, or a name that every object has, are read", () => {
    const note = "\n".repeat(20_000_000);
    expect(decodeSafetensors(file({ __metadata__: { note } }, 0), "a").metadata["note"]).toHaveLength(note.length);
    const { tensors } = decodeSafetensors(file(`{"__proto__":${JSON.stringify(entry)}}`), "a.safetensors");
    expect([...tensors.keys()]).toEqual(["__proto__"]);
  });

  // The rules of the format and the attacks on it that its repository lists ("Format", "Benefits: Prevent DOS attacks").
  describe("read by the format's own reader", () => {
    // By test/golden/safetensors_verdicts.py.
    const { verdicts, sealed } = JSON.parse(
      readFileSync(join(__dirname, "fixtures", "safetensors-verdicts.json"), "utf8"),
    ) as {
      readonly verdicts: readonly { readonly name: string; readonly accepted: boolean; readonly hex: string }[];
      readonly sealed: string;
    };

    it.each(verdicts)("are taken or refused as it does: $name", ({ name, accepted, hex }) => {
      const read = () => decodeSafetensors(Buffer.from(hex, "hex"), "a.safetensors");
      // One rule more: that reader passes over a name that stands twice if the bytes are the same.
      if (accepted && name !== "a name twice, for the same bytes") expect(read).not.toThrow();
      else expect(read).toThrow(InputError);
    });

    it("are known by the checksum that Python makes of them, whatever their order", () => {
      const decoded = decodeSafetensors(Buffer.from(sealed, "hex"), "a.safetensors");
      expect(decoded).toMatchObject({ hasChecksum: true, metadata: { note: 'é "quoted"', format: "a test" } });
      expect([...decoded.integers.get("count")!.values]).toEqual([2n ** 62n, -1n]);
      expect(Buffer.from(encodeSafetensors(decoded)).toString("latin1")).toContain(
        /[0-9a-f]{64}/.exec(Buffer.from(sealed, "hex").toString())![0],
      );
    });
  });

  it("with any bit changed are refused, or hold the same", () => {
    const integers = new Map([["count", { shape: [1], values: BigInt64Array.of(5n) }]]);
    const bytes = Buffer.from(encodeSafetensors({ ...content, integers }));
    const whole = decodeSafetensors(bytes, "whole");
    const name = Buffer.from("moco-kit sha256");
    let refused = 0;
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const damaged = Buffer.from(bytes);
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      let read: ReturnType<typeof decodeSafetensors>;
      try {
        read = decodeSafetensors(damaged, "damaged");
      } catch (error) {
        expect(error).toBeInstanceOf(InputError);
        refused++;
        continue;
      }
      expect([read.tensors, read.integers]).toEqual([whole.tensors, whole.integers]);
      if (read.hasChecksum) {
        expect(read.metadata).toEqual(whole.metadata);
      } else {
        // The bit was in the checksum's own name.
        const start = bytes.indexOf(name);
        expect((bit >> 3) - start).toBeGreaterThanOrEqual(0);
        expect((bit >> 3) - start).toBeLessThan(name.length);
      }
    }
    expect(refused).toBeGreaterThan(8 * (bytes.length - name.length) - 20);
  });

  it("of other programs have no checksum, and are read", () => {
    const bytes = file({ w: entry });
    expect(decodeSafetensors(bytes, "a.safetensors").hasChecksum).toBe(false);
  });
});
