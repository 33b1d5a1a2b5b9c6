import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readMatlabFile } from "../../../src/data/published/matlab-file";

const bytes = readFileSync(join(__dirname, "../fixtures/imagenet-meta.mat"));

describe("readMatlabFile", () => {
  it("reads the synsets that SciPy wrote", () => {
    const synsets = readMatlabFile(bytes, "meta.mat").get("synsets") as readonly Record<string, unknown>[];
    expect(synsets).toHaveLength(4);
    expect(synsets[0]).toEqual({
      ILSVRC2012_ID: [1],
      WNID: "n02119789",
      words: "kit fox, Vulpes macrotis",
      gloss: "what kit fox, Vulpes macrotis is",
      num_children: [0],
      children: [],
      wordnet_height: [0],
      num_train_images: [1300],
    });
    expect(synsets[3]).toMatchObject({ ILSVRC2012_ID: [1001], WNID: "n00001740", children: [1, 2, 3] });
  });

  it("refuses other files, and damaged ones", () => {
    expect(() => readMatlabFile(Buffer.alloc(500), "meta.mat")).toThrow("Cannot read meta.mat: it is no MATLAB file");
    for (let length = 128; length < bytes.length; length += 7) {
      const cut = Buffer.from(bytes.subarray(0, length));
      try {
        expect([...readMatlabFile(cut, "meta.mat").keys()]).toEqual([]);
      } catch (error) {
        expect((error as Error).message).toMatch(/^Cannot read meta\.mat: it is damaged/);
      }
    }
  });
});
