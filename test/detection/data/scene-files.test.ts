import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pythonProgram } from "../../../src/cli/project";
import { readCoco } from "../../../src/detection/data/read-coco";
import { readVoc } from "../../../src/detection/data/read-voc";
import { writeScenes } from "../../../src/detection/data/scene-files";
import { composeScenes, sceneChecksum, sceneCredit, type SceneSet } from "../../../src/detection/data/scenes";
import type { DetectionSet } from "../../../src/detection/structures/detection-set";
import { InputError } from "../../../src/errors";

const wanted = [
  { part: "train", count: 5, size: 64 },
  { part: "test", count: 20, size: 64 },
] as const;
let root: string;
let sets: readonly SceneSet[];

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "scenes-"));
  sets = await Promise.all(wanted.map(composeScenes));
  await writeScenes(wanted, join(root, "coco"), "coco");
  await writeScenes(wanted, join(root, "voc"), "voc");
}, 60_000);
afterAll(() => rm(root, { recursive: true }));

async function expectSamePixels(read: DetectionSet, set: SceneSet): Promise<void> {
  for (const [index, image] of read.images.entries()) {
    const pixels = await read.readPixels(image);
    expect(Buffer.from(pixels).equals(await set.readPixels(set.images[index]!))).toBe(true);
  }
}

describe("writeScenes", () => {
  it("writes COCO files that readCoco reads back: categories, sizes, boxes, areas, masks and pixels", async () => {
    for (const [index, { part }] of wanted.entries()) {
      const set = sets[index]!;
      const read = await readCoco(join(root, "coco"), part);
      expect(read.categories).toEqual(set.categories);
      const images = set.images.map(({ objects, ...image }) => ({
        ...image,
        objects: objects.map(({ drawing: _drawing, visible: _visible, ...object }) => object),
      }));
      expect(read.images).toEqual(images);
      await expectSamePixels(read, set);
    }
  });

  it("writes VOC files that readVoc reads back: categories, sizes, boxes and pixels", async () => {
    for (const [index, { part }] of wanted.entries()) {
      const set = sets[index]!;
      const read = await readVoc(join(root, "voc"), part);
      expect(read.categories).toEqual(set.categories);
      expect(read.images.map(({ fileName, width, height }) => [fileName, width, height])).toEqual(
        set.images.map(({ fileName, width, height }) => [fileName, width, height]),
      );
      expect(read.images.map(({ objects }) => objects.map(({ box, category }) => [box, category]))).toEqual(
        set.images.map(({ objects }) => objects.map(({ box, category }) => [box, category])),
      );
      await expectSamePixels(read, set);
    }
  });

  it("writes COCO files that pycocotools loads, with the same boxes, categories and mask areas", () => {
    const file = join(root, "coco", "annotations", "instances_test.json");
    const { status, stdout, stderr } = spawnSync(pythonProgram("python"), [join(__dirname, "load-coco.py"), file], {
      encoding: "utf8",
      env: { ...process.env, OMP_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1" },
    });
    expect(status, stderr).toBe(0);
    const set = sets[1]!;
    const expected = set.images.flatMap(({ id, objects }) =>
      objects.map(({ box: [x1, y1, x2, y2], category, area }) => ({
        imageId: id,
        category: set.categories[category]!.name,
        bbox: [x1, y1, x2 - x1, y2 - y1],
        area,
        maskArea: area,
        maskBox: [x1, y1, x2 - x1, y2 - y1],
        decodedArea: area,
      })),
    );
    expect(JSON.parse(stdout)).toEqual(expected);
  });

  it("says in each folder what the scenes are, with their checksums, and credits the drawings", async () => {
    for (const format of ["coco", "voc"]) {
      const text = await readFile(join(root, format, "README.md"), "utf8");
      expect(text).toContain("neither PASCAL VOC nor COCO");
      expect(text).toContain(sceneCredit);
      for (const set of sets) expect(text).toContain(`${set.name}: ${set.images.length} images of 64 px, seed 0,`);
      expect(text).toContain(await sceneChecksum(sets[0]!));
    }
  });

  it("leaves a folder with files as it is", async () => {
    const folder = await mkdtemp(join(root, "taken-"));
    await writeFile(join(folder, "mine.txt"), "mine");
    await expect(writeScenes(wanted, folder, "voc")).rejects.toThrow(InputError);
    await expect(writeScenes(wanted, folder, "voc")).rejects.toThrow("must be empty or new");
    expect(await readdir(folder)).toEqual(["mine.txt"]);
  });
});
