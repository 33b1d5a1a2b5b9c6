import { execSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { InputError } from "../../src/errors";
import { randomStream, type Random } from "../../src/engine/random";
import { encodeDetectron2 } from "../../src/weights/numpy-pickle";
import { failureOf } from "../../src/weights/read-failure";
import type { StoredTensor } from "../../src/weights/safetensors";
import { openStoredZip } from "../../src/weights/stored-zip";
import { readWeights, writeWeights } from "../../src/weights/weights-file";
import { writeStoredZip } from "./zip-writer";

let path: string;
beforeAll(() => void (path = join(mkdtempSync(join(tmpdir(), "moco-weights-")), "weights")));
afterAll(() => rmSync(join(path, ".."), { recursive: true }));

const tensors = new Map<string, StoredTensor>([
  ["weight", { shape: [2, 2], values: Float32Array.of(1, -0, NaN, 1e-45) }],
  ["count", { shape: [], values: BigInt64Array.of(-5n) }],
]);

describe("a file of weights", () => {
  it.each(["a.safetensors", "a.pkl"])("comes back bit for bit as %s", (name) => {
    const file = join(path, "..", name);
    writeWeights(file, tensors);
    expect(readWeights(file).tensors).toEqual(tensors);
  });

  it("is not taken for a pickle where the length of its header begins like one", () => {
    const file = join(path, "..", "long.safetensors");
    // Names of growing length: one of 256 headers begins with byte 0x80.
    for (let length = 1; ; length++) {
      const one = new Map<string, StoredTensor>(
        ["v".repeat(150), "w".repeat(length)].map((name) => [name, { shape: [1], values: Float32Array.of(1) }]),
      );
      writeWeights(file, one);
      if (readFileSync(file)[0] !== 0x80) continue;
      expect(readWeights(file).tensors).toEqual(one);
      break;
    }
  });

  it("is known by its content, whatever its name", () => {
    for (const name of ["tiny.zip.pth", "tiny.legacy.pth"]) {
      writeFileSync(path, readFileSync(join(__dirname, "fixtures", name)));
      expect([...readWeights(path).tensors.keys()]).toEqual(["weight", "shared", "count"]);
    }
  });

  it("that holds noise is refused with the formats that are read", () => {
    writeFileSync(path, Buffer.alloc(5000, 0x5a));
    expect(() => readWeights(path)).toThrow(/neither as a safetensors file does, nor as one of torch.save/);
  });

  const inside = readFileSync(join(__dirname, "fixtures", "tiny.zip.pth"));
  it.each([
    ["nothing", Buffer.alloc(0), "it is empty: take another copy"],
    [
      "a web page",
      "\n<!DOCTYPE html>\n<html><body>Sign in</body></html>",
      "it is a web page, .*: download the file itself",
    ],
    ["a web page in small letters", "<html lang='en'>", "it is a web page"],
    [
      "a pointer",
      `version https://git-lfs.github.com/spec/v1\noid sha256:${"0".repeat(64)}\nsize 12345\n`,
      "it is a pointer of Git LFS, .*git lfs pull",
    ],
    ["a packed file", gzipSync(inside), "it is packed by gzip: unpack it, for example by gunzip"],
    ["a tar archive", tarOf(inside), "it is a tar archive: unpack it by tar -xf, and give the file inside"],
  ])("that is %s is told to be one", (_, bytes, message) => {
    writeFileSync(path, bytes);
    expect(() => readWeights(path)).toThrow(InputError);
    expect(() => readWeights(path)).toThrow(new RegExp(`^Cannot read ${path}: ${message}`));
  });

  it("that was unpacked is told to be so: the folder, the one around it, and its pickle", () => {
    const around = mkdtempSync(join(path, "..", "unpacked-"));
    const { names, read } = openStoredZip(
      readFileSync(join(__dirname, "fixtures", "tiny.zip.pth")),
      failureOf("fixture"),
    );
    const pickle = names.find((name) => name.endsWith("data.pkl"))!;
    const folder = join(around, "archive");
    mkdirSync(folder);
    writeFileSync(join(folder, "data.pkl"), read(pickle));
    for (const one of [around, folder]) {
      expect(() => readWeights(one)).toThrow(`${one} is an unpacked archive of PyTorch; give the file as it was`);
      expect(() => readWeights(one)).toThrow(`cd "${around}" && zip -0 -r weights.pth "archive"`);
    }
    expect(() => readWeights(join(folder, "data.pkl"))).toThrow("as data.pkl of an unpacked archive of PyTorch does");
  });

  it.runIf(existsSync("/usr/bin/zip"))("that was unpacked is read once it is packed as the message says", () => {
    const folder = mkdtempSync(join(path, "..", "unpacked "));
    const { names, read } = openStoredZip(inside, failureOf("fixture"));
    for (const name of names) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), read(name));
    }
    let advice = "";
    try {
      readWeights(folder);
    } catch (error) {
      advice = /cd .*$/.exec((error as Error).message)![0];
    }
    execSync(advice, { stdio: "ignore" });
    expect([...readWeights(join(folder, "weights.pth")).tensors.keys()]).toEqual(["weight", "shared", "count"]);
  });

  it("is not written into a folder that is not there", () => {
    expect(() => writeWeights(join(path, "..", "nowhere", "a.safetensors"), tensors)).toThrow(InputError);
  });

  it("of more than 2 GiB is refused", () => {
    writeFileSync(path, "");
    truncateSync(path, 2 ** 31); // no byte of it is on the disk
    expect(() => readWeights(path)).toThrow("files up to 2 GiB are read, it has 2147483648 bytes");
  });
});

/** A tar archive of one file, as `tar -cf` writes it, but for owner and time. */
function tarOf(contents: Buffer): Buffer {
  const header = Buffer.alloc(512);
  header.write("weights.pth");
  header.write(contents.length.toString(8).padStart(11, "0"), 124);
  header.write("ustar", 257);
  return Buffer.concat([header, contents, Buffer.alloc(1024)]);
}

describe("a thousand damaged files and more", () => {
  /** Copies a piece of bytes out of a file: 1 to 64 of them. */
  function piece(bytes: Buffer, random: Random): { start: number; end: number } {
    const start = random.integer(bytes.length);
    return { start, end: Math.min(bytes.length, start + 1 + random.integer(64)) };
  }

  const damages: readonly ((bytes: Buffer, random: Random) => Buffer)[] = [
    function flipBits(bytes, random) {
      const damaged = Buffer.from(bytes);
      for (let times = 1 + random.integer(4); times > 0; times--) {
        damaged[random.integer(bytes.length)]! ^= 1 << random.integer(8);
      }
      return damaged;
    },
    function replaceBytes(bytes, random) {
      const damaged = Buffer.from(bytes);
      const { start, end } = piece(bytes, random);
      return damaged.fill([0x00, 0x7f, 0xff, random.integer(256)][random.integer(4)]!, start, Math.min(end, start + 8));
    },
    function cutShort(bytes, random) {
      return bytes.subarray(0, random.integer(bytes.length));
    },
    function removePiece(bytes, random) {
      const { start, end } = piece(bytes, random);
      return Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]);
    },
    function repeatPiece(bytes, random) {
      const { start, end } = piece(bytes, random);
      return Buffer.concat([bytes.subarray(0, end), bytes.subarray(start)]);
    },
    function movePiece(bytes, random) {
      const { start, end } = piece(bytes, random);
      const to = random.integer(start + 1);
      return Buffer.concat([
        bytes.subarray(0, to),
        bytes.subarray(start, end),
        bytes.subarray(to, start),
        bytes.subarray(end),
      ]);
    },
  ];

  const fixture = (name: string) => readFileSync(join(__dirname, "fixtures", name));
  /** Damages the pickle within a zip archive, whose checksums stay right. */
  const inside = (file: Buffer, damage: (bytes: Buffer) => Buffer): Buffer => {
    const { names, read } = openStoredZip(file, failureOf("fixture"));
    return writeStoredZip(
      names.map((name) => [name, name.endsWith(".pkl") ? damage(read(name)) : read(name)] as const),
    );
  };
  const around = (file: Buffer, damage: (bytes: Buffer) => Buffer): Buffer => damage(file);

  const files: readonly (readonly [string, Buffer, typeof inside])[] = [
    ["of PyTorch's zip format", fixture("odd-tensors.zip.pth"), around],
    ["of PyTorch's zip format, in the pickle inside", fixture("odd-tensors.zip.pth"), inside],
    ["of PyTorch's legacy format", fixture("odd-tensors.legacy.pth"), around],
    ["of detectron2", encodeDetectron2(tensors), around],
    ["of safetensors", fixture("odd-tensors.safetensors"), around],
  ];

  it.each(files)("%s are read or refused by their name, in bounded memory", (_, file, apply) => {
    const random = randomStream(1, "damage");
    const outcomes = { read: 0, refused: 0 };
    for (let number = 0; number < 350; number++) {
      const damage = damages[number % damages.length]!;
      const bytes = apply(file, (part) => damage(part, random));
      writeFileSync(path, bytes);
      try {
        const { tensors } = readWeights(path);
        const total = [...tensors.values()].reduce((sum, { values }) => sum + values.byteLength, 0);
        expect(total).toBeLessThanOrEqual(8 * bytes.length);
        outcomes.read++;
      } catch (error) {
        expect(error, `${damage.name}, number ${number}: ${(error as Error).stack}`).toBeInstanceOf(InputError);
        expect((error as Error).message).toContain(path);
        outcomes.refused++;
      }
    }
    expect(outcomes.refused).toBeGreaterThan(50);
  });
});
