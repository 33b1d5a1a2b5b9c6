import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { annotationChecksum, loadDetectionData } from "../../../src/detection/data/detection-data";
import {
  detectionPreset,
  detectionPresetNames,
  withArchitecture,
  withMasks,
} from "../../../src/recipes/detection-presets";
import { parseDetectionRecipe, type DetectionDataset } from "../../../src/detection/detection-recipe";
import { InputError } from "../../../src/errors";
import { recipeHash } from "../../../src/train/recipe-hash";
import { tinySet } from "../tiny-detection";

let root: string;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "moco-voc-"));
  await writeVoc("VOC2007", { a: [["cat", 1, 1, 5, 5]], b: [["dog", 2, 2, 6, 7]] }, { trainval: "a", test: "b" });
  await writeVoc("VOC2012", { c: [["cat", 1, 1, 5, 5]], d: [["cat", 3, 3, 3, 2]] }, { trainval: "c\nd", none: "" });
});
afterAll(() => rmSync(root, { recursive: true }));

type VocObject = readonly [name: string, x1: number, y1: number, x2: number, y2: number];

async function writeVoc(
  name: string,
  images: Readonly<Record<string, readonly VocObject[]>>,
  splits: Readonly<Record<string, string>>,
): Promise<void> {
  const folder = join(root, name);
  for (const part of ["Annotations", "JPEGImages", "ImageSets/Main"])
    mkdirSync(join(folder, part), { recursive: true });
  for (const [id, objects] of Object.entries(images)) {
    const described = objects.map(
      ([category, x1, y1, x2, y2]) =>
        `<object><name>${category}</name><difficult>0</difficult><bndbox><xmin>${x1}</xmin><ymin>${y1}</ymin>` +
        `<xmax>${x2}</xmax><ymax>${y2}</ymax></bndbox></object>`,
    );
    const size = "<size><width>8</width><height>8</height><depth>3</depth></size>";
    const xml = `<annotation><filename>${id}.png</filename>${size}${described.join("")}</annotation>`;
    writeFileSync(join(folder, "Annotations", `${id}.xml`), xml);
    const image = sharp({ create: { width: 8, height: 8, channels: 3, background: "red" } });
    await image.png().toFile(join(folder, "JPEGImages", `${id}.png`));
  }
  for (const [split, ids] of Object.entries(splits)) {
    writeFileSync(join(folder, "ImageSets", "Main", `${split}.txt`), ids);
  }
}

const voc = (changes: Partial<Extract<DetectionDataset, { kind: "voc" }>> = {}): DetectionDataset => ({
  kind: "voc",
  train: ["VOC2007/trainval", "VOC2012/trainval"],
  test: "VOC2007/test",
  ...changes,
});

describe("loadDetectionData", () => {
  it("joins the training parts, and says which objects without area were left out", async () => {
    const { train, test, leftOut } = await loadDetectionData(voc(), root);
    expect(train.name).toBe("VOC2007/trainval + VOC2012/trainval");
    expect(train.images.map(({ id }) => id)).toEqual(["a", "c", "d"]);
    expect(test.images.map(({ id }) => id)).toEqual(["b"]);
    expect(leftOut).toHaveLength(1);
    expect(leftOut[0]).toMatch(/d\.xml/);
  });

  it("refuses images that their EXIF data turn before anything is trained", async () => {
    const folder = join(root, "turned");
    cpSync(join(root, "VOC2007"), folder, { recursive: true });
    const stored = sharp({ create: { width: 8, height: 6, channels: 3, background: "red" } });
    await stored.withMetadata({ orientation: 6 }).toFile(join(folder, "JPEGImages", "a.png"));
    const xml = join(folder, "Annotations", "a.xml");
    writeFileSync(xml, readFileSync(xml, "utf8").replace("<height>8", "<height>6"));
    const loaded = loadDetectionData(voc({ train: ["trainval"], test: "test" }), folder);
    await expect(loaded).rejects.toThrow(/JPEGImages\/a\.png: .*current size is 6 x 8, since its EXIF data turn it/);
  });

  it("reads a data set that is the folder itself", async () => {
    const { train } = await loadDetectionData(voc({ train: ["trainval"], test: "test" }), join(root, "VOC2007"));
    expect(train.images.map(({ id }) => id)).toEqual(["a"]);
  });

  it("holds a share of COCO's training split out for validation, where a recipe says so", async () => {
    const folder = join(root, "coco");
    mkdirSync(join(folder, "annotations"), { recursive: true });
    mkdirSync(join(folder, "images"));
    const image = sharp({ create: { width: 6, height: 4, channels: 3, background: "red" } }).png();
    for (const [split, ids] of [
      ["train", [0, 1, 2, 3, 4, 5, 6, 7]],
      ["val", [8, 9]],
    ] as const) {
      for (const id of ids) await image.clone().toFile(join(folder, "images", `${id}.png`));
      const images = ids.map((id) => ({ id, file_name: `${id}.png`, width: 6, height: 4 }));
      const annotations = ids.map((id) => ({ image_id: id, category_id: 1, bbox: [1, 1, 2, 2] }));
      const document = { images, annotations, categories: [{ id: 1, name: "nucleus" }] };
      writeFileSync(join(folder, "annotations", `instances_${split}.json`), JSON.stringify(document));
    }
    const dataset = { kind: "coco", train: "train", validation: { heldOut: 0.15 }, test: "val" } as const;
    const { train, validation, test, leftOut } = await loadDetectionData(dataset, folder);
    const idsOf = (set: typeof test) => set.images.map(({ id }) => id);
    expect([train, validation!, test].map(idsOf)).toEqual([
      [1, 2, 3, 4, 5, 7],
      [0, 6],
      [8, 9],
    ]);
    expect([train.name, validation!.name]).toEqual(["coco/train but 0.15 held out", "coco/train, 0.15 held out"]);
    expect(await validation!.readPixels(validation!.images[1]!)).toHaveLength(6 * 4 * 3);
    expect(leftOut).toEqual([]);
    const split = await loadDetectionData({ ...dataset, validation: "val" }, folder);
    expect([split.train, split.validation!].map(idsOf)).toEqual([
      [0, 1, 2, 3, 4, 5, 6, 7],
      [8, 9],
    ]);
    const none = loadDetectionData({ ...dataset, validation: { heldOut: 0.01 } }, folder);
    await expect(none).rejects.toThrow("current value 0.01 holds out 0 of 8");
  });

  it("composes scenes, and their pixels are the same each time", async () => {
    const dataset: DetectionDataset = { kind: "scenes", size: 32, train: 3, validation: 1, test: 2, seed: 0 };
    const { train, validation, test } = await loadDetectionData(dataset, undefined);
    expect([train, validation!, test].map(({ images }) => images.length)).toEqual([3, 1, 2]);
    expect(await train.readPixels(train.images[1]!)).toEqual(await train.readPixels(train.images[1]!));
  });

  it("shuffles the labels of the training scenes alone, where a recipe asks for this control", async () => {
    const dataset = { kind: "scenes", size: 32, train: 12, validation: 2, test: 2, seed: 0 } as const;
    const plain = await loadDetectionData(dataset, undefined);
    const control = await loadDetectionData({ ...dataset, shuffledLabels: true }, undefined);
    const of = (data: typeof plain, part: "train" | "test") => data[part].images.flatMap(({ objects }) => objects);
    const categories = (data: typeof plain, part: "train" | "test") => of(data, part).map(({ category }) => category);
    expect(categories(control, "train")).not.toEqual(categories(plain, "train"));
    expect(categories(control, "train").sort()).toEqual(categories(plain, "train").sort());
    expect(of(control, "train").map(({ box }) => box)).toEqual(of(plain, "train").map(({ box }) => box));
    expect(categories(control, "test")).toEqual(categories(plain, "test"));
  });

  it("refuses a missing folder, split or part, and a part without objects", async () => {
    const refused = async (dataset: DetectionDataset, folder: string | undefined, message: RegExp) => {
      await expect(loadDetectionData(dataset, folder)).rejects.toThrow(InputError);
      await expect(loadDetectionData(dataset, folder)).rejects.toThrow(message);
    };
    await refused(voc(), undefined, /give its folder by --root, there is none/);
    await refused(voc(), join(root, "nowhere"), /current value is .*nowhere, which is no folder/);
    await refused(voc({ train: ["VOC2008/trainval"] }), root, /VOC2008/);
    await refused(voc({ test: "VOC2007/val" }), root, /choose one of test, trainval in .*VOC2007/);
    await refused(voc({ test: "VOC2012/none" }), root, /current count is 0/);
  });
});

describe("annotationChecksum", () => {
  it("tells sets apart by a box, and not by reading them again", () => {
    const set = tinySet();
    const moved = { ...set.images[0]!.objects[0]!, box: [0, 0, 5, 5] as const };
    const other = { ...set, images: [{ ...set.images[0]!, objects: [moved] }, ...set.images.slice(1)] };
    expect(annotationChecksum(tinySet())).toBe(annotationChecksum(set));
    expect(annotationChecksum(other)).not.toBe(annotationChecksum(set));
  });
});

describe("the presets", () => {
  it.each(detectionPresetNames)("%s is a valid recipe", (name) => {
    expect(parseDetectionRecipe(detectionPreset(name)).name).toBe(name);
  });

  it.each(["voc", "coco", "scenes"] as const)("quick fits %s", (kind) => {
    expect(parseDetectionRecipe(detectionPreset("quick", kind)).dataset.kind).toBe(kind);
  });

  it("keep the hash that recorded runs are found by, whatever fields recipes get", () => {
    expect(recipeHash(detectionPreset("pascal_voc_R_50_C4_24k"))).toBe("20e92e0c35e7");
    expect(recipeHash(detectionPreset("bccd"))).toBe("a1ac983134cd");
  });

  it("have dilated C5 beside C4, with all else the same", () => {
    const { detector, ...rest } = detectionPreset("quick");
    const dilated = detectionPreset("quick-dc5");
    const { name, source } = dilated;
    expect(dilated).toEqual({ ...rest, name, source, detector: { ...detector, arch: "dc5", roiResolution: 7 } });
    expect(withArchitecture(dilated, "dc5")).toBe(dilated);
    expect(() => withArchitecture(dilated, "c4")).toThrow("choose a preset of C4, as quick, current one is of dc5");
  });

  it("have masks for COCO, and by withMasks", () => {
    expect(detectionPreset("coco_R_50_C4_2x").detector.masks).toBe(true);
    expect(detectionPreset("coco_R_50_C4_2x", "voc").detector).not.toHaveProperty("masks");
    const quick = detectionPreset("quick");
    const { name, source, detector, ...rest } = withMasks(quick);
    expect({ name, detector }).toEqual({ name: "quick-masks", detector: { ...quick.detector, masks: true } });
    expect({ ...quick, ...rest, source }).toEqual({ ...quick, source });
    expect(withMasks(withMasks(quick)).name).toBe(name);
  });

  it("have FPN beside C4, the paper's with detectron2's values", () => {
    const fpn = detectionPreset("coco_R_50_FPN_1x");
    const { name, source, detector, ...others } = withMasks(
      withArchitecture(detectionPreset("coco_R_50_C4_1x"), "fpn"),
    );
    expect(detector).toEqual(fpn.detector);
    expect({ ...fpn, ...others }).toEqual(fpn);
    expect(detector.anchorSizes).toEqual([32, 64, 128, 256, 512]);
    expect(detector.proposals).toEqual({
      training: { beforeNms: 2000, afterNms: 1000 },
      inference: { beforeNms: 1000, afterNms: 1000 },
    });
    expect(detectionPresetNames).not.toContain(name);
    expect(source).toContain("FPN");
  });

  it("have the strides of the paper with FPN, and anchors that double", () => {
    const { detector } = withArchitecture(detectionPreset("quick"), "fpn");
    expect(detector.backbone.stem).toBe("imagenet");
    expect(detector.anchorSizes).toEqual([12, 24, 48, 96, 192]);
    expect(detector.proposals).toEqual(detectionPreset("quick").detector.proposals);
    expect(() => withArchitecture(detectionPreset("quick-fpn"), "dc5")).toThrow("choose a preset of C4, as quick");
  });

  it.each([
    ["1x", 90000, 60000, 80000],
    ["2x", 180000, 120000, 160000],
    ["6x", 540000, 480000, 520000],
  ])("have the paper's %s schedule on COCO", (name, iterations, ...milestones) => {
    expect(detectionPreset(`coco_R_50_FPN_${name}`).schedule).toEqual({ iterations, warmup: 1000, milestones });
  });

  it("are listed for an unknown name, and their fields checked", () => {
    expect(() => detectionPreset("slow")).toThrow(/choose one of smoke, .*quick, .* current value is "slow"/);
    const few = { ...detectionPreset("nuclei").detector, detectionsPerImage: 10 };
    expect(() => parseDetectionRecipe({ ...detectionPreset("nuclei"), detector: few })).toThrow("detectionsPerImage: ");
    const dataset = { kind: "coco", train: "train", validation: { heldOut: 1 }, test: "val" };
    expect(() => parseDetectionRecipe({ ...detectionPreset("nuclei"), dataset })).toThrow("dataset.validation");
    const wrong = { ...detectionPreset("quick"), batchSize: 0, metric: "voc" };
    expect(() => parseDetectionRecipe(wrong)).toThrow(/metric: .*\n {2}batchSize: /);
  });
});
