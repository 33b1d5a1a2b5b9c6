import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { annotationChecksum } from "../../../src/detection/data/detection-data";
import { composeScenes } from "../../../src/detection/data/scenes";
import { readTestSet, writeTestSet } from "../../../src/experiments/transfer/recorded-test-set";

describe("a recorded test set", () => {
  const folder = mkdtempSync(join(tmpdir(), "moco-test-set-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "test-annotations.json.gz");

  it("has the objects and masks of the set, and no pixels", async () => {
    const scenes = await composeScenes({ part: "test", size: 48, count: 3 });
    writeTestSet(path, scenes);
    const read = readTestSet(path);
    expect(annotationChecksum(read)).toBe(annotationChecksum(scenes));
    expect(scenes.images.map(({ objects }) => objects)).toMatchObject(read.images.map(({ objects }) => objects));
    expect(read.images.flatMap(({ objects }) => objects).every(({ mask }) => mask !== undefined)).toBe(true);
    await expect(read.readPixels(read.images[0]!)).rejects.toThrow("has annotations alone");
  });

  it("keeps outlines, and objects without a mask", async () => {
    const [image] = (await composeScenes({ part: "test", size: 48, count: 1 })).images;
    const box = [1, 2, 9, 8] as const;
    const object = { box, category: 0, difficult: false, crowd: false, area: 48 };
    const objects = [object, { ...object, mask: [[1, 2, 9, 2, 9, 8]] }];
    writeTestSet(path, {
      name: "two",
      categories: [{ id: 1, name: "one" }],
      images: [{ ...image!, objects }],
      readPixels: () => Promise.resolve(new Uint8Array()),
    });
    expect(readTestSet(path).images[0]!.objects).toEqual(objects);
  });

  it("refuses a mask of another size, by name", () => {
    const mask = { size: [2, 2], counts: "04" };
    const object = { box: [0, 0, 1, 1], category: 0, difficult: false, crowd: false, area: 1, mask };
    const images = [{ id: 1, fileName: "a.png", width: 3, height: 3, objects: [object] }];
    writeFileSync(path, gzipSync(JSON.stringify({ name: "one", categories: [], images })));
    expect(() => readTestSet(path)).toThrow("the mask of object 0 of a.png: size must be that of its image, [3, 3]");
  });

  it("refuses what is no test set, naming the field", () => {
    writeFileSync(path, gzipSync(JSON.stringify({ name: "one", categories: [] })));
    expect(() => readTestSet(path)).toThrow(/Cannot read .*: images: Required/);
  });
});
