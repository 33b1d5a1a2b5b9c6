import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readCoco } from "../../../src/detection/data/read-coco";
import { readVoc } from "../../../src/detection/data/read-voc";
import type { ReadSet } from "../../../src/detection/structures/detection-set";
import { decodeMask, type Mask } from "../../../src/detection/structures/mask-rle";
import { rleOf } from "../../../src/detection/structures/polygon-mask";
import { changeBytes, changedFiles } from "../../strangers/changed-bytes";
import { changeJson, jsonChanges, jsonText } from "../../strangers/changed-json";
import { everyCaseEndsWell, strangersTimeout } from "../../strangers/ends-well";
import { changedXml } from "./strangers-xml";

let root: string;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "strangers-"));
  for (const folder of ["annotations", "images", "JPEGImages", "Annotations", "ImageSets/Main"]) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  const image = sharp({ create: { width: 6, height: 4, channels: 3, background: "red" } });
  for (const file of ["images/1.png", "images/2.png", "JPEGImages/1.png"]) await image.toFile(join(root, file));
  writeFileSync(join(root, "ImageSets/Main/val.txt"), "1\n");
});
afterAll(() => rmSync(root, { recursive: true }));

const coco = {
  images: [
    { id: 1, file_name: "1.png", width: 6, height: 4 },
    { id: 2, file_name: "2.png", width: 6, height: 4 },
  ],
  categories: [
    { id: 1, name: "dog" },
    { id: 7, name: "__proto__" },
  ],
  annotations: [
    { id: 1, image_id: 1, category_id: 1, bbox: [1, 1, 3, 2], area: 6, iscrowd: 0, segmentation: [[1, 1, 4, 1, 4, 3]] },
    {
      id: 2,
      image_id: 2,
      category_id: 7,
      bbox: [0, 0, 2, 2],
      segmentation: { size: [4, 6], counts: [5, 2, 2, 2, 13] },
    },
    {
      id: 3,
      image_id: 2,
      category_id: 7,
      bbox: [0, 0, 2, 2],
      segmentation: { size: [4, 6], counts: "5220;" },
      iscrowd: 1,
    },
  ],
};

const voc = `<?xml version="1.0" encoding="UTF-8"?>
<annotation><filename>1.png</filename><size><width>6</width><height>4</height><depth>3</depth></size>
<object><name>dog</name><difficult>0</difficult><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>4</xmax><ymax>3</ymax></bndbox></object>
<object><name>a &amp; b</name><bndbox><xmin>2.5</xmin><ymin>1</ymin><xmax>6</xmax><ymax>4</ymax></bndbox></object>
</annotation>`;

/** Boxes are numbers with an area that touch their image, categories are known, masks fit. */
function expectSound({ images, categories }: ReadSet): void {
  for (const { width, height, objects } of images) {
    expect(width * height).toBeLessThanOrEqual(0x3fff * 0x3fff);
    for (const { box, category, area, mask } of objects) {
      expect([...box, area].every(Number.isFinite)).toBe(true);
      expect(box[2] > box[0] && box[3] > box[1]).toBe(true);
      expect(box[2] > 0 && box[3] > 0 && box[0] < width && box[1] < height).toBe(true);
      expect(categories[category]).toBeDefined();
      if (mask !== undefined) expectMask(mask, height, width);
    }
  }
}

function expectMask(mask: Mask, height: number, width: number): void {
  // A size that no file proves may be large: the mask is looked at where it is small.
  if (height * width < 1e6) expect(decodeMask(rleOf(mask, height, width))).toHaveLength(height * width);
}

describe("COCO's annotations of strangers", () => {
  const read = (bytes: string | Buffer) => {
    writeFileSync(join(root, "annotations/instances_val.json"), bytes);
    return readCoco(root, "val", { leaveOutEmpty: true });
  };

  it(
    "with changed values end in a sound set or in an error that names file and field",
    { timeout: strangersTimeout },
    () =>
      everyCaseEndsWell({
        reader: "COCO JSON, values changed",
        cases: jsonChanges,
        short: 40,
        read: (changes) => read(jsonText(changeJson(coco, changes))),
        names: /instances_val\.json|must exist/,
        check: expectSound,
      }),
  );

  it("with changed bytes end so too", { timeout: strangersTimeout }, () =>
    everyCaseEndsWell({
      reader: "COCO JSON, bytes changed",
      cases: changedFiles(1),
      short: 40,
      read: ({ changes }) => read(changeBytes(Buffer.from(JSON.stringify(coco)), changes)),
      names: /instances_val\.json|must exist/,
      check: expectSound,
    }),
  );
});

describe("VOC's annotations of strangers", () => {
  const read = (bytes: string | Buffer) => {
    writeFileSync(join(root, "Annotations/1.xml"), bytes);
    return readVoc(root, "val", { leaveOutEmpty: true });
  };

  it(
    "with changed elements end in a sound set or in an error that names file and field",
    { timeout: strangersTimeout },
    () =>
      everyCaseEndsWell({
        reader: "VOC XML, elements changed",
        cases: changedXml(voc),
        short: 40,
        read,
        names: /Annotations\/1\.xml/,
        check: expectSound,
      }),
  );

  it("with changed bytes end so too", { timeout: strangersTimeout }, () =>
    everyCaseEndsWell({
      reader: "VOC XML, bytes changed",
      cases: changedFiles(1),
      short: 40,
      read: ({ changes }) => read(changeBytes(Buffer.from(voc), changes)),
      names: /Annotations\/1\.xml/,
      check: expectSound,
    }),
  );

  it("with a changed list of images end so too", { timeout: strangersTimeout }, () =>
    everyCaseEndsWell({
      reader: "VOC's list of images, lines changed",
      cases: fc.array(
        fc.oneof(
          fc.constantFrom("1", "1", " 1 -1", "", "../1", "/etc/passwd", "__proto__", "\0", "\u202e", "x".repeat(5000)),
          fc.string({ unit: "binary", maxLength: 8 }),
        ),
        { maxLength: 3 },
      ),
      short: 20,
      read: async (lines) => {
        writeFileSync(join(root, "Annotations/1.xml"), voc);
        writeFileSync(join(root, "ImageSets/Main/list.txt"), lines.join("\n"));
        return readVoc(root, "list");
      },
      names: /list\.txt|must exist/,
      check: (set) => {
        expectSound(set);
        expect(set.images.map(({ id }) => id)).toEqual(["1"]);
      },
    }),
  );
});
