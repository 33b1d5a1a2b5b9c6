import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isPickle, readNumpyPickle } from "../../src/weights/numpy-pickle";
import { failureOf } from "../../src/weights/read-failure";
import { decodeSafetensors, type StoredTensor } from "../../src/weights/safetensors";
import { isTorchFile, readTorchFile } from "../../src/weights/torch-file";
import { changeBytes, changedFiles } from "../strangers/changed-bytes";
import { changeJson, jsonChanges, jsonText } from "../strangers/changed-json";
import { everyCaseEndsWell, strangersTimeout } from "../strangers/ends-well";
import { pickleOf, strangersPickles } from "./strangers-pickles";
import { writeStoredZip } from "./zip-writer";

const folder = join(__dirname, "fixtures");
const fixtures = (ending: RegExp) =>
  readdirSync(folder)
    .filter((name) => ending.test(name))
    .map((name) => readFileSync(join(folder, name)));

/** A reader may take a file only as what it says: as many numbers as the shape has. */
function expectWhole(tensors: ReadonlyMap<string, StoredTensor>): void {
  for (const { shape, values } of tensors.values()) {
    expect(shape.every((size) => Number.isSafeInteger(size) && size >= 0)).toBe(true);
    expect(values.length).toBe(shape.reduce((product, size) => product * size, 1));
  }
}

function safetensors(header: string, bodyBytes: number, claimed = 0): Buffer {
  const text = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length + claimed));
  return Buffer.concat([length, text, Buffer.alloc(bodyBytes)]);
}

describe("safetensors of strangers", () => {
  const read = (bytes: Buffer) => {
    const { tensors, integers } = decodeSafetensors(bytes, "a.safetensors");
    return new Map<string, StoredTensor>([...tensors, ...integers]);
  };

  it("with changed bytes end in tensors or in an error that names the file", { timeout: strangersTimeout }, () => {
    const files = fixtures(/\.safetensors$/);
    return everyCaseEndsWell({
      reader: "safetensors, bytes changed",
      cases: changedFiles(files.length),
      short: 60,
      read: ({ file, changes }) => read(changeBytes(files[file]!, changes)),
      names: /^Cannot read a\.safetensors: /,
      check: expectWhole,
    });
  });

  it("with a changed header end so too", { timeout: strangersTimeout }, () => {
    const header = {
      __metadata__: { note: "a", more: "b" },
      a: { dtype: "F32", shape: [2, 3], data_offsets: [0, 24] },
      b: { dtype: "I64", shape: [2], data_offsets: [24, 40] },
      c: { dtype: "F16", shape: [], data_offsets: [40, 42] },
      d: { dtype: "F32", shape: [0, 3], data_offsets: [42, 42] },
    };
    return everyCaseEndsWell({
      reader: "safetensors, header changed",
      cases: fc.tuple(jsonChanges, fc.constantFrom(0, 0, 0, -1, 1, 2 ** 40), fc.constantFrom(42, 42, 42, 41, 0)),
      short: 120,
      read: ([changes, claimed, bodyBytes]) =>
        read(safetensors(jsonText(changeJson(header, changes)), bodyBytes, claimed)),
      names: /^Cannot read a\.safetensors: /,
      check: expectWhole,
    });
  });
});

describe("PyTorch's files of strangers", () => {
  const read = (bytes: Buffer) => readTorchFile(bytes, failureOf("a.pth"));

  it("with changed bytes end in tensors or in an error that names the file", { timeout: strangersTimeout }, () => {
    const files = fixtures(/\.(pth|pth\.tar)$/);
    return everyCaseEndsWell({
      reader: "PyTorch's archives and legacy files, bytes changed",
      cases: changedFiles(files.length),
      short: 60,
      read: ({ file, changes }) => read(changeBytes(files[file]!, changes)),
      names: /^Cannot read a\.pth: /,
      check: expectWhole,
    });
  });

  it("around any pickle end so too", { timeout: strangersTimeout }, () =>
    everyCaseEndsWell({
      reader: "PyTorch's archives, pickle made of random operations",
      cases: strangersPickles("torch"),
      short: 120,
      read: (operations) => {
        const bytes = writeStoredZip([
          ["a/data.pkl", pickleOf(operations)],
          ["a/data/0", Buffer.alloc(12)],
        ]);
        expect(isTorchFile(bytes)).toBe(true);
        return read(bytes);
      },
      names: /^Cannot read a\.pth: /,
      check: expectWhole,
    }),
  );
});

describe("detectron2's pickles of strangers", () => {
  const read = (bytes: Buffer) => readNumpyPickle(bytes, failureOf("a.pkl"));

  it("with changed bytes end in tensors or in an error that names the file", { timeout: strangersTimeout }, () => {
    const files = fixtures(/\.pkl$/);
    expect(files.every(isPickle)).toBe(true);
    return everyCaseEndsWell({
      reader: "detectron2's pickles, bytes changed",
      cases: changedFiles(files.length),
      short: 40,
      read: ({ file, changes }) => read(changeBytes(files[file]!, changes)),
      names: /^Cannot read a\.pkl: /,
      check: expectWhole,
    });
  });

  it("of any operations end so too", { timeout: strangersTimeout }, () =>
    everyCaseEndsWell({
      reader: "detectron2's pickles, made of random operations",
      cases: strangersPickles("numpy"),
      short: 120,
      read: (operations) => read(pickleOf(operations)),
      names: /^Cannot read a\.pkl: /,
      check: expectWhole,
    }),
  );
});
