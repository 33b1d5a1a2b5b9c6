import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { InputError } from "../../src/errors";
import { checksumOf, readCheckedJson, withChecksum, writeCheckedJson } from "../../src/files/checked-json";

const value = { name: 'a "run" of é', metrics: [0.1, 1e-300, NaN, -0], left: undefined, inner: { b: null, a: true } };
const kind = { what: "run", advice: "Delete it" };

let folder: string;
let path: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "moco-checked-"));
  path = join(folder, "run.json");
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("a JSON object with a checksum", () => {
  it("is read again after it was written, however it was laid out", () => {
    for (const spaces of [0, 2]) {
      writeCheckedJson(path, value, spaces);
      expect(readCheckedJson(path, z.unknown(), kind)).toEqual(JSON.parse(JSON.stringify(value)));
    }
  });

  it("has SHA-256 of its text without spaces", () => {
    const { sha256 } = withChecksum({ a: [1, "b"] });
    expect(sha256).toBe(createHash("sha256").update('{"a":[1,"b"]}').digest("hex"));
    expect(checksumOf([])).toBe(createHash("sha256").update("[]").digest("hex"));
  });

  it("with any bit changed is refused by name, or has the same content", () => {
    const small = { b: [0.1, "é"] };
    writeCheckedJson(path, small);
    const bytes = readFileSync(path);
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const damaged = Buffer.from(bytes);
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      writeFileSync(path, damaged);
      try {
        expect(readCheckedJson(path, z.unknown(), kind)).toEqual(small); // a space became another
        expect(bit >> 3).toBe(bytes.length - 1);
      } catch (error) {
        expect(error).toBeInstanceOf(InputError);
        expect((error as Error).message).toContain(`Cannot read the run ${path}: `);
      }
    }
  });

  it("is refused without a checksum, as older versions wrote it", () => {
    for (const other of [{ a: 1 }, [1], null, 5, "text"]) {
      writeFileSync(path, JSON.stringify(other));
      expect(() => readCheckedJson(path, z.unknown(), kind)).toThrow(
        `Cannot read the run ${path}: it has no checksum, so it was cut, or written by an older version of the kit. Delete it`,
      );
    }
  });

  it("is refused where it does not fit the schema, naming the field", () => {
    writeCheckedJson(path, { a: { b: 1 } });
    const schema = z.object({ a: z.object({ b: z.string() }) });
    expect(() => readCheckedJson(path, schema, kind)).toThrow("a.b: Expected string, received number. Delete it");
    expect(readCheckedJson(join(folder, "none.json"), schema, kind)).toBeUndefined();
  });
});
