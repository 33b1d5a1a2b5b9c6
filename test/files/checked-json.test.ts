import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { checksumOf, isUnchanged, withChecksum } from "../../src/files/checked-json";

const value = { name: 'a "run" of é', figures: [0.1, 1e-300, NaN, -0], left: undefined, inner: { b: null, a: true } };

describe("a JSON object with a checksum", () => {
  it("is known again after it was written and read, however it was laid out", () => {
    for (const spaces of [0, 2]) {
      const text = JSON.stringify(withChecksum(value), null, spaces);
      expect(isUnchanged(JSON.parse(text))).toBe(true);
    }
  });

  it("has SHA-256 of its text without spaces", () => {
    const { sha256 } = withChecksum({ a: [1, "b"] });
    expect(sha256).toBe(createHash("sha256").update('{"a":[1,"b"]}').digest("hex"));
    expect(checksumOf([])).toBe(createHash("sha256").update("[]").digest("hex"));
  });

  it("with any bit changed is no JSON, or not the same, or of the same content", () => {
    const bytes = Buffer.from(JSON.stringify(withChecksum(value)));
    const content = JSON.stringify(value);
    let noticed = 0;
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const damaged = Buffer.from(bytes);
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      let read: unknown;
      try {
        read = JSON.parse(damaged.toString("utf8"));
      } catch {
        noticed++;
        continue;
      }
      if (!isUnchanged(read)) noticed++;
      // The bit was in the name of the checksum.
      else expect(JSON.stringify(read).startsWith(content.slice(0, -1))).toBe(true);
    }
    expect(noticed).toBeGreaterThanOrEqual(8 * (bytes.length - "sha256".length));
  });

  it("is taken as it is without one", () => {
    for (const other of [{ a: 1 }, [1], null, 5, "text"]) expect(isUnchanged(other)).toBe(true);
  });
});
