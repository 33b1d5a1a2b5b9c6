import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readMatlabFile } from "../../../src/data/published/matlab-file";
import { unpack } from "../../../src/data/published/unpack";
import { changeBytes, changedFiles, sometimes } from "../../strangers/changed-bytes";
import { everyCaseEndsWell, strangersTimeout } from "../../strangers/ends-well";
import { writeStoredZip } from "../../weights/zip-writer";
import { writeTar } from "./tar-writer";

const limits = { maximumBytes: 10_000, maximumEntries: 20 };

let around: string;
beforeAll(() => {
  around = mkdtempSync(join(tmpdir(), "moco-strangers-"));
});
afterAll(() => rmSync(around, { recursive: true }));

/** Unpacks, sees that nothing lies outside of the folder or is a link, and counts what was written. */
async function unpacked(name: string, bytes: Buffer): Promise<number> {
  const folder = join(around, "deep", "inside");
  mkdirSync(folder, { recursive: true });
  const archive = join(around, name);
  writeFileSync(archive, bytes);
  try {
    await unpack(archive, folder, limits);
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    return files.reduce((sum, file) => sum + readFileSync(join(file.parentPath, file.name)).length, 0);
  } finally {
    expect(readdirSync(around).sort()).toEqual([name, "deep"].sort());
    expect(readdirSync(join(around, "deep"))).toEqual(["inside"]);
    expect(
      readdirSync(folder, { recursive: true, withFileTypes: true }).every((one) => one.isFile() || one.isDirectory()),
    ).toBe(true);
    expect(existsSync(outside)).toBe(false);
    rmSync(join(around, "deep"), { recursive: true });
    rmSync(archive);
  }
}

const outside = join(tmpdir(), "moco-strangers-escaped");
const names = [
  ...["a.txt", "set/b.txt", "set/", "../x", "set/../../x", outside, "..\\x", "C:x", "a\0b", "", ".", "..", "/"],
  ...["__proto__", "a.txt/b", "\u202e", "\u001b[2J", "x".repeat(90), "set//c"],
];
const entry = fc.record({
  name: fc.oneof({ weight: 3, arbitrary: fc.constantFrom("a.txt", "set/b.txt", "c") }, fc.constantFrom(...names)),
  size: fc.constantFrom(0, 1, 700, 700, 4000, 20_000),
  type: fc.constantFrom("0", "0", "0", "0", "0", "5", "1", "2", "3", "x", "L", "S"),
  claimed: sometimes(fc.constantFrom(0, 1, 512, 8 ** 11 - 1)),
});

describe("archives of strangers", () => {
  it(
    "with any entries write into their folder, or end in an error that names the archive",
    { timeout: strangersTimeout },
    () =>
      everyCaseEndsWell({
        reader: "tar archives, any entries",
        cases: fc.tuple(fc.array(entry, { minLength: 1, maxLength: 4 }), fc.boolean()),
        short: 30,
        read: ([entries, packed]) => {
          const tar = writeTar(
            entries.map(({ name, size, type, claimed }) => ({
              ...{ name, type, contents: Buffer.alloc(size, 7) },
              ...((type === "1" || type === "2") && { link: outside }),
              ...(claimed !== undefined && { claimed }),
            })),
          );
          return packed ? unpacked("a.tar.gz", gzipSync(tar)) : unpacked("a.tar", tar);
        },
        names: /Cannot unpack .*a\.tar/,
        check: (bytes) => expect(bytes).toBeLessThanOrEqual(limits.maximumBytes),
      }),
  );

  it("with changed bytes end so too", { timeout: strangersTimeout }, () => {
    const contents: [string, Buffer][] = [
      ["set/a.txt", Buffer.from("one")],
      ["set/b.txt", Buffer.alloc(700, 7)],
    ];
    const tar = writeTar(contents.map(([name, contents]) => ({ name, contents })));
    const archives = [
      ["a.tar", tar],
      ["a.tar.gz", gzipSync(tar)],
      ["a.zip", writeStoredZip(contents)],
      ["a.zip", writeStoredZip(contents, { zip64: true })],
    ] as const;
    return everyCaseEndsWell({
      reader: "tar, tar.gz and zip archives, bytes changed",
      cases: changedFiles(archives.length),
      short: 40,
      read: ({ file, changes }) => unpacked(archives[file]![0], changeBytes(archives[file]![1], changes)),
      names: /Cannot unpack .*a\.(tar|zip)/,
      check: (bytes) => expect(bytes).toBeLessThanOrEqual(limits.maximumBytes),
    });
  });
});

describe("MATLAB files of strangers", () => {
  const file = readFileSync(join(__dirname, "../fixtures/imagenet-meta.mat"));
  /** An element of level 5. */
  const element = (type: number, data: Buffer): Buffer => {
    const head = Buffer.alloc(8);
    head.writeUInt32LE(type, 0);
    head.writeUInt32LE(data.length, 4);
    return Buffer.concat([head, data, Buffer.alloc((8 - (data.length % 8)) % 8)]);
  };
  const int32 = (...values: number[]) => element(5, Buffer.from(Int32Array.from(values).buffer));
  const read = (elements: readonly Buffer[]) =>
    readMatlabFile(Buffer.concat([file.subarray(0, 128), ...elements]), "meta.mat");

  it("with changed bytes end in variables or in an error that names the file", { timeout: strangersTimeout }, () =>
    everyCaseEndsWell({
      reader: "MATLAB's description of ImageNet's classes, bytes changed",
      cases: changedFiles(1),
      short: 30,
      read: ({ changes }) => readMatlabFile(changeBytes(file, changes), "meta.mat"),
      names: /^Cannot read meta\.mat: /,
    }),
  );

  it("with a billion structures without fields are refused", () => {
    const flags = element(6, Buffer.from([2, 0, 0, 0, 0, 0, 0, 0]));
    const bomb = element(
      14,
      Buffer.concat([
        flags,
        int32(1_000_000_000, 1),
        element(1, Buffer.from("s")),
        int32(8),
        element(1, Buffer.alloc(0)),
      ]),
    );
    expect(() => read([bomb])).toThrow("a structure has no fields");
  });

  it("that inflate to more than 16 MiB altogether are refused", () => {
    const variable = element(14, Buffer.alloc(0));
    const packed = deflateSync(Buffer.concat([variable, element(1, Buffer.alloc(10_000_000))]));
    const head = Buffer.alloc(8);
    head.writeUInt32LE(15, 0);
    head.writeUInt32LE(packed.length, 4);
    const one = Buffer.concat([head, packed]);
    expect(() => read([one, one])).toThrow(/^Cannot read meta\.mat: it is damaged/);
  });
});
