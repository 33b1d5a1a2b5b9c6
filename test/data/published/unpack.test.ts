import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { unpack } from "../../../src/data/published/unpack";
import { InputError } from "../../../src/errors";
import { writeStoredZip } from "../../weights/zip-writer";
import { writeTar, type TarEntry } from "./tar-writer";

let around: string;
let folder: string;
beforeEach(() => {
  around = mkdtempSync(join(tmpdir(), "moco-unpack-"));
  folder = join(around, "inside");
  mkdirSync(folder);
});
afterEach(() => rmSync(around, { recursive: true }));

const absolute = join(tmpdir(), "escaped-moco.txt");
const limits = { maximumBytes: 10_000, maximumEntries: 20 };
const files = {
  "set/a.txt": Buffer.from("one"),
  "set/deep/b.txt": Buffer.alloc(3000, 7),
  "set/empty.txt": Buffer.alloc(0),
};
const tar = (entries: readonly TarEntry[]) => writeTar(entries);
const tarOfFiles = tar(Object.entries(files).map(([name, contents]) => ({ name, contents })));

async function unpackBytes(name: string, bytes: Buffer, options = limits): Promise<void> {
  const archive = join(around, name);
  writeFileSync(archive, bytes);
  await unpack(archive, folder, options);
}

/** The message with which it is refused; nothing may lie outside the folder. */
async function refusal(name: string, bytes: Buffer): Promise<string> {
  const error: unknown = await unpackBytes(name, bytes).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(InputError);
  expect(readdirSync(around).filter((one) => !/^a\.(tar|tar\.gz|zip)$/.test(one))).toEqual(["inside"]);
  expect(existsSync(absolute)).toBe(false);
  return (error as Error).message;
}

/** A stored zip whose first entry is of a type of file that Unix has. */
function zipOfType(type: number): Buffer {
  const bytes = writeStoredZip([["link", Buffer.from("/etc/passwd")]]);
  const directory = bytes.indexOf("PK\x01\x02", 0, "latin1");
  bytes.writeUInt32LE((type << 16) >>> 0, directory + 38);
  return bytes;
}

describe("unpack", () => {
  it.each([
    ["a.tar", tarOfFiles],
    ["a.tar.gz", gzipSync(tarOfFiles)],
    ["a.tgz", gzipSync(tarOfFiles)],
    ["a.zip", writeStoredZip(Object.entries(files))],
  ])("unpacks %s", async (name, bytes) => {
    await unpackBytes(name, bytes);
    for (const [path, contents] of Object.entries(files)) expect(readFileSync(join(folder, path))).toEqual(contents);
  });

  it("unpacks archives in an archive into folders of their names, when asked", async () => {
    const inner = (text: string) => tar([{ name: "1.JPEG", contents: Buffer.from(text) }]);
    const outer = tar([
      { name: "n01.tar", contents: inner("first") },
      { name: "n02.tar", contents: inner("second") },
    ]);
    await unpackBytes("train.tar", outer, { ...limits, nested: true } as typeof limits);
    expect(readFileSync(join(folder, "n01/1.JPEG"), "utf8")).toBe("first");
    expect(readFileSync(join(folder, "n02/1.JPEG"), "utf8")).toBe("second");
    expect(readdirSync(folder)).toEqual(["n01", "n02"]);
  });

  it("counts the files of archives in an archive once, against the limit of all files", async () => {
    const inner = tar([{ name: "1.JPEG", contents: Buffer.alloc(9000) }]);
    const outer = tar([{ name: "n01.tar", contents: inner }]);
    await unpackBytes("train.tar", outer, { ...limits, nested: true } as typeof limits);
    expect(readFileSync(join(folder, "n01/1.JPEG"))).toHaveLength(9000);
    const more = tar([{ name: "n01.tar", contents: tar([{ name: "1.JPEG", contents: Buffer.alloc(10_001) }]) }]);
    await expect(unpackBytes("more.tar", more, { ...limits, nested: true } as typeof limits)).rejects.toThrow(
      "its files have more than 10000 bytes",
    );
  });

  it.each(["../escaped.txt", absolute, "set/../../escaped.txt", "..\\escaped.txt", "C:escaped.txt"])(
    "refuses the name %s, which leads out of the folder",
    async (name) => {
      expect(await refusal("a.tar", tar([{ name, contents: Buffer.from("x") }]))).toContain("leads out of the folder");
      expect(await refusal("a.zip", writeStoredZip([[name, Buffer.from("x")]]))).toMatch(/leads out|damaged/);
    },
  );

  it.each<[string, TarEntry[]]>([
    [
      "a symbolic link",
      [
        { name: "out", type: "2", link: ".." },
        { name: "out/escaped.txt", contents: Buffer.from("x") },
      ],
    ],
    ["a hard link", [{ name: "out", type: "1", link: "/etc/passwd" }]],
    ["a device", [{ name: "null", type: "3" }]],
  ])("refuses %s in a tar archive", async (_, entries) => {
    expect(await refusal("a.tar", tar(entries))).toMatch(
      /is of type (SymbolicLink|Link|CharacterDevice), files and folders/,
    );
  });

  it("refuses a link in a zip archive, and takes a regular file", async () => {
    expect(await refusal("a.zip", zipOfType(0xa000))).toContain('its entry "link" is a link or a device');
    await unpackBytes("b.zip", zipOfType(0x8000));
    expect(readFileSync(join(folder, "link"), "utf8")).toBe("/etc/passwd");
  });

  it("refuses archives that would fill the disk, by bytes and by files", async () => {
    const bomb = gzipSync(tar([{ name: "big", contents: Buffer.alloc(20_000_000) }]));
    expect(bomb.length).toBeLessThan(30_000);
    expect(await refusal("a.tar.gz", bomb)).toMatch(/its files have more than 10000 bytes|max decompression ratio/);
    expect(await refusal("a.tar", tar([{ name: "big", contents: Buffer.alloc(20_000) }]))).toContain("more than 10000");
    expect(await refusal("a.zip", writeStoredZip([["big", Buffer.alloc(20_000)]]))).toContain("more than 10000 bytes");
    const many = Array.from({ length: 30 }, (_, index) => ({ name: `${index}` }));
    expect(await refusal("a.tar", tar(many))).toContain("it has more than 20 files");
  });

  it("refuses a zip archive whose end lies beyond 2^53, by the word of its zip64 record", async () => {
    const zip = writeStoredZip(Object.entries(files), { zip64: true });
    const locator = zip.indexOf("PK\x06\x07", 0, "latin1");
    zip.fill(255, locator + 8, locator + 16);
    expect(await refusal("a.zip", zip)).toContain("it is damaged, get it again: it names a place outside of itself");
  });

  it("refuses a name that is too long, and one that is a file and a folder", async () => {
    const long = tar([
      { name: "long", type: "L", contents: Buffer.alloc(5000, "x") },
      { name: "a", contents: Buffer.from("x") },
    ]);
    expect(await refusal("a.tar", long)).toContain(
      "cannot be written, or is that of another or of a folder (ENAMETOOLONG)",
    );
    const both = { a: Buffer.from("x"), "a/b": Buffer.from("y") };
    expect(await refusal("a.zip", writeStoredZip(Object.entries(both)))).toMatch(/of a folder \((EEXIST|ENOTDIR)\)/);
  });

  it.each([
    ["a tar archive that is cut", "a.tar", tarOfFiles.subarray(0, 2500)],
    ["a gzip archive that is cut", "a.tar.gz", gzipSync(tarOfFiles).subarray(0, 100)],
    ["a page in place of an archive", "a.tar.gz", Buffer.from("<html>none</html>".repeat(100))],
    ["a zip archive that is cut", "a.zip", writeStoredZip(Object.entries(files)).subarray(0, 2000)],
  ])("refuses %s", async (_, name, bytes) => {
    expect(await refusal(name, bytes)).toContain("it is damaged, get it again");
  });
});
