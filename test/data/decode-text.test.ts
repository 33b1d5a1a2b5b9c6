import { describe, expect, it } from "vitest";
import { decodeText } from "../../src/data/decode-text";

describe("decodeText", () => {
  it.each([
    ["UTF-8", [0xc3, 0xa9], undefined],
    ["UTF-8 with a byte-order mark, whatever is declared", [0xef, 0xbb, 0xbf, 0xc3, 0xa9], "gb2312"],
    ["UTF-16, little-endian", [0xff, 0xfe, 0xe9, 0], undefined],
    ["UTF-16, big-endian", [0xfe, 0xff, 0, 0xe9], "utf-16"],
    ["Latin-1", [0xe9], "ISO-8859-1"],
    ["GB 2312", [0xa8, 0xa6], "gb2312"],
  ])("reads %s", (_, bytes, declared) => {
    expect(decodeText(Uint8Array.from(bytes), declared)).toBe("é");
  });

  it("reads every byte of Latin-1 as the character of its number, as Python does", () => {
    expect(decodeText(Uint8Array.of(0x80, 0x9f), "latin1")).toBe("\x80\x9f");
  });

  it("refuses bytes that are not of the encoding, and encodings that are none", () => {
    expect(() => decodeText(Uint8Array.of(0xe9))).toThrow(TypeError);
    expect(() => decodeText(Uint8Array.of(0xe9), "klingon")).toThrow(RangeError);
  });
});
