import { describe, expect, it } from "vitest";
import { InputError } from "../../src/errors";
import { failureOf } from "../../src/weights/read-failure";
import { openStoredZip } from "../../src/weights/stored-zip";
import { writeStoredZip } from "./zip-writer";

const entries: [string, Buffer][] = [
  ["a/first", Buffer.from("one")],
  ["a/empty", Buffer.alloc(0)],
  ["a/second", Buffer.from("two two")],
];
const open = (bytes: Buffer) => openStoredZip(bytes, failureOf("a.zip"));

describe("openStoredZip", () => {
  it.each([
    ["a zip archive", {}],
    ["a zip64 archive", { zip64: true }],
  ])("reads the entries of %s", (_, options) => {
    const { names, read } = open(writeStoredZip(entries, options));
    expect(names).toEqual(entries.map(([name]) => name));
    for (const [name, contents] of entries) expect(read(name)).toEqual(contents);
  });

  it("finds the end of an archive before its comment", () => {
    const bytes = writeStoredZip(entries);
    const comment = Buffer.alloc(65_535, "x");
    bytes.writeUInt16LE(comment.length, bytes.length - 2);
    expect(open(Buffer.concat([bytes, comment])).names).toHaveLength(3);
  });

  it.each([
    ["compressed", writeStoredZip(entries, { method: 8 }), 'its entry "a/first" is compressed'],
    ["encrypted", writeStoredZip(entries, { flags: 1 }), 'its entry "a/first" is encrypted'],
    ["twice there", writeStoredZip([entries[0]!, entries[0]!]), 'its archive has two entries "a/first"'],
  ])("refuses an entry that is %s", (_, bytes, message) => {
    expect(() => open(bytes)).toThrow(InputError);
    expect(() => open(bytes)).toThrow(message);
  });

  it("refuses contents that are not what was written", () => {
    const bytes = writeStoredZip(entries);
    bytes[bytes.indexOf("one")]! ^= 1;
    const { read } = open(bytes);
    expect(() => read("a/first")).toThrow('the checksum of its entry "a/first" is wrong');
    expect(read("a/second").toString()).toBe("two two");
    expect(() => read("a/third")).toThrow('its archive has no entry "a/third"');
  });

  it("refuses entries that together are longer than the archive: they would overlap", () => {
    const bytes = writeStoredZip(entries);
    for (const [name] of entries) {
      const entry = bytes.lastIndexOf(name) - 46;
      bytes.writeUInt32LE(200, entry + 20);
      bytes.writeUInt32LE(200, entry + 24);
    }
    expect(() => open(bytes)).toThrow("is longer than the archive");
  });

  it.each([
    ["zip", writeStoredZip(entries)],
    ["zip64", writeStoredZip(entries, { zip64: true })],
  ])("refuses a %s archive cut short anywhere", (_, bytes) => {
    for (let length = 0; length < bytes.length; length++) {
      expect(() => open(bytes.subarray(0, length)), `cut to ${length} bytes`).toThrow(InputError);
    }
  });
});
