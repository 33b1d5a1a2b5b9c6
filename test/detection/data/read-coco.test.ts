import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { decodeMask, type Rle } from "../../../src/detection/structures/mask-rle";
import { rleOf } from "../../../src/detection/structures/polygon-mask";
import { readCoco } from "../../../src/detection/data/read-coco";
import { fromCocoResults, toCocoResults } from "../../../src/detection/data/results-json";
import { messageOf } from "../message-of";

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "coco-"));
});
afterEach(() => rm(root, { recursive: true }));

async function writeImage(path: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await sharp({ create: { width: 6, height: 4, channels: 4, background: "#00ff0080" } }).toFile(join(root, path));
}

async function annotate(split: string, document: unknown): Promise<void> {
  await mkdir(join(root, "annotations"), { recursive: true });
  const text = typeof document === "string" ? document : JSON.stringify(document);
  await writeFile(join(root, "annotations", `instances_${split}.json`), text);
}

const categories = [
  { id: 90, name: "toothbrush" },
  { id: 1, name: "person" },
];
const image = (id: number) => ({ id, file_name: `${id}.png`, width: 6, height: 4 });

/** Columns 1 and 2, rows 1 and 2 of an image of 6 x 4. */
const square = [0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];

describe("readCoco", () => {
  it("reads boxes, polygons, run lengths compressed and not, and crowds; images and categories by rising id", async () => {
    const object = { image_id: 7, category_id: 90, bbox: [1, 1, 2, 2], area: 4, iscrowd: 0 };
    await annotate("val2017", {
      images: [image(7), image(3)],
      categories,
      annotations: [
        { ...object, segmentation: [[1, 1, 3, 1, 3, 3, 1, 3]] },
        { ...object, segmentation: { size: [4, 6], counts: [5, 2, 2, 2, 13] }, iscrowd: 1 },
        { ...object, segmentation: { size: [4, 6], counts: "5220;" }, category_id: 1 },
        { ...object, area: undefined, bbox: [0.5, 0.25, 5.5, 3.75] },
      ],
    });
    await writeImage("val2017/3.png");
    await writeImage("val2017/7.png");
    const set = await readCoco(root, "val2017");
    expect(set.categories).toEqual([
      { id: 1, name: "person" },
      { id: 90, name: "toothbrush" },
    ]);
    expect(set.images.map(({ id }) => id)).toEqual([3, 7]);
    const { objects } = set.images[1]!;
    expect(objects.map(({ crowd, category, area }) => [crowd, category, area])).toEqual([
      [false, 1, 4],
      [true, 1, 4],
      [false, 0, 4],
      [false, 1, 20.625],
    ]);
    expect(objects[0]!.box).toEqual([1, 1, 3, 3]);
    expect(objects[3]!.box).toEqual([0.5, 0.25, 6, 4]);
    for (const { mask } of objects.slice(0, 3)) expect([...decodeMask(rleOf(mask!, 4, 6))]).toEqual(square);
    expect(objects[3]!.mask).toBeUndefined();
    expect([...(await set.readPixels(set.images[0]!)).subarray(0, 3)]).toEqual([0, 255, 0]);
  });

  it.each(["images", "images/train"])("finds images in %s", async (folder) => {
    await annotate("train", { images: [image(1)], categories, annotations: [] });
    await writeImage(`${folder}/1.png`);
    const set = await readCoco(root, "train");
    expect(await set.readPixels(set.images[0]!)).toHaveLength(72);
  });

  it("names every field that is wrong in one message", async () => {
    const good = { image_id: 1, category_id: 1, bbox: [0, 0, 2, 2] };
    const wrong = [
      [{ ...good, image_id: 5 }, ".image_id must be the id of an image, current value is 5"],
      [{ ...good, category_id: "1" }, '.category_id must be the id of a category, current value is "1"'],
      [{ ...good, bbox: [1, 2, 3] }, ".bbox must be four numbers: x, y, width, height, current value is [1,2,3]"],
      [{ ...good, bbox: [1, 2, 0, 3] }, ".bbox must have a positive width and height, current value is [1,2,0,3]"],
      [
        { ...good, bbox: [1, 2, 1e-300, 3] },
        ".bbox must have a positive width and height, current value is [1,2,1e-300",
      ],
      [{ ...good, bbox: [1, 2, 1e300, 1e300] }, ".bbox must have a finite area, current value is [1,2,1e+300,1e+300]"],
      [{ ...good, bbox: [9, 2, 1, 3] }, ".bbox must touch the image of 6 x 4, current value is [9,2,1,3]"],
      [{ ...good, iscrowd: 2 }, ".iscrowd must be 0 or 1, current value is 2"],
      [{ ...good, area: -1 }, ".area must be a number of 0 or more, current value is -1"],
      [{ ...good, segmentation: [[1, 1, 2, 2]] }, ".segmentation[0] must be a list of three corners or more"],
      [{ ...good, segmentation: [[1, 1, 2, 2, 1e9, 3]] }, ".segmentation[0] must have numbers in or near its image"],
      [
        { ...good, segmentation: { size: [6, 4], counts: [24] } },
        ".segmentation.size must be that of its image, [4, 6]",
      ],
      [{ ...good, segmentation: { size: [4, 6], counts: [25] } }, ".segmentation.counts must add up to 4 x 6 = 24"],
      [{ ...good, segmentation: { size: [4, 6], counts: [-1] } }, ".segmentation.counts must be a string or a list"],
      [{ ...good, segmentation: { size: [4, 6], counts: "P" } }, ".segmentation.counts must be whole"],
      [7, " must be an object, current value is 7"],
    ] as const;
    await annotate("val", {
      images: [image(1), image(1), { ...image(2), width: 0 }, { ...image(3), file_name: "../x.png" }, image(4)],
      categories: [...categories, { id: 1, name: "twice" }],
      annotations: wrong.map(([value]) => value),
    });
    await writeImage("images/1.png");
    const lines = (await messageOf(readCoco(root, "val"))).split("\n");
    const file = "annotations/instances_val.json: ";
    wrong.forEach(([, text], index) => {
      expect(lines).toContainEqual(expect.stringContaining(`${file}annotations[${index}]${text}`));
    });
    expect(lines).toContain(`${file}images[1].id must be of one image only, current value is 1`);
    expect(lines).toContain(`${file}images[2].width must be a positive integer, current value is 0`);
    expect(lines).toContainEqual(expect.stringContaining(`${file}images[3].file_name must be a path below`));
    expect(lines).toContain(`${file}categories must have an id once, current value is 1`);
    expect(lines).toContain(`images/4.png: must exist, ${file.slice(0, -2)} names it`);
    expect(lines[0]).toContain(`faults are ${wrong.length + 5}:`);
    expect(lines).toHaveLength(wrong.length + 6);
  });

  it("refuses values nested 100,000 deep, and takes a category named as what every object has", async () => {
    const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    const object = `{"image_id":1,"category_id":1,"bbox":${deep}}`;
    const file = (annotations: string, name = "dog") =>
      `{"images":[${JSON.stringify(image(1))}],"categories":[{"id":1,"name":"${name}"}],"annotations":[${annotations}]}`;
    await writeImage("images/1.png");
    await annotate("val", file(object));
    expect(await messageOf(readCoco(root, "val"))).toContain(
      "annotations[0].bbox must be four numbers: x, y, width, height, current value is one that is nested too deep",
    );
    for (const name of ["__proto__", "constructor", "toString"]) {
      await annotate("val", file(object.replace(deep, "[0,0,2,2]"), name));
      const set = await readCoco(root, "val");
      expect(set.categories[set.images[0]!.objects[0]!.category]).toEqual({ id: 1, name });
    }
  });

  it("drops polygons of less than three corners where others of the object are good, and names them", async () => {
    const good = [1, 1, 3, 1, 3, 3, 1, 3];
    const object = { image_id: 1, category_id: 1, bbox: [1, 1, 2, 2] };
    await annotate("val", {
      images: [image(1)],
      categories,
      annotations: [{ ...object, segmentation: [[1, 1, 2, 2], good, []] }],
    });
    await writeImage("images/1.png");
    const set = await readCoco(root, "val");
    expect([...decodeMask(rleOf(set.images[0]!.objects[0]!.mask!, 4, 6))]).toEqual(square);
    expect(set.leftOut).toEqual([
      "annotations/instances_val.json: annotations[0].segmentation[0] must be a list of three corners or more, " +
        "x and y in turn, current value is [1,1,2,2]",
      expect.stringContaining("segmentation[2]"),
    ]);
    await annotate("val", { images: [image(1)], categories, annotations: [{ ...object, segmentation: [[1, 1], []] }] });
    expect(await messageOf(readCoco(root, "val"))).toContain("annotations[0].segmentation[0] must be a list of three");
  });

  it.each([
    ["a byte-order mark", (text: string) => Buffer.from(`\ufeff${text}`)],
    ["UTF-16, as some editors of Windows write", (text: string) => Buffer.from(`\ufeff${text}`, "utf16le")],
  ])("reads a file with %s", async (_, encode) => {
    await mkdir(join(root, "annotations"));
    const text = JSON.stringify({ images: [image(1)], categories: [{ id: 1, name: "été" }], annotations: [] });
    await writeFile(join(root, "annotations/instances_val.json"), encode(text));
    await writeImage("images/1.png");
    expect((await readCoco(root, "val")).categories).toEqual([{ id: 1, name: "été" }]);
  });

  it("refuses a file that is not UTF-8", async () => {
    await mkdir(join(root, "annotations"));
    await writeFile(join(root, "annotations/instances_val.json"), Buffer.from('{"images": "\xe9"}', "latin1"));
    expect(await messageOf(readCoco(root, "val"))).toMatch(/instances_val\.json must be JSON/);
  });

  it("finds images that their EXIF data turn, that are of another size, and that are none", async () => {
    await annotate("val", { images: [1, 2, 3, 4].map(image), categories, annotations: [] });
    await writeImage("images/1.png");
    const stored = { create: { width: 6, height: 4, channels: 3, background: "red" } } as const;
    await sharp(stored).withMetadata({ orientation: 6 }).toFile(join(root, "images/2.png"));
    await sharp({ create: { ...stored.create, width: 5 } }).toFile(join(root, "images/3.png"));
    await writeFile(join(root, "images/4.png"), "none");
    expect(await (await readCoco(root, "val")).wrongSizes()).toEqual([
      "images/2.png: must be as its annotation says, 6 x 4, current size is 4 x 6, since its EXIF data turn it " +
        "(orientation 6), and the annotation is of the image before; remove the orientation from its EXIF data, or turn the annotation",
      "images/3.png: must be as its annotation says, 6 x 4, current size is 5 x 4",
      expect.stringContaining("images/4.png: must be an image: "),
    ]);
  });

  it("leaves objects without area out when asked, and names them", async () => {
    const object = { image_id: 1, category_id: 1, bbox: [0, 0, 2, 0] };
    await annotate("val", { images: [image(1)], categories, annotations: [object, { ...object, bbox: [0, 0, 2, 2] }] });
    await writeImage("images/1.png");
    const set = await readCoco(root, "val", { leaveOutEmpty: true });
    expect(set.images[0]!.objects).toHaveLength(1);
    expect(set.leftOut).toEqual([expect.stringContaining("annotations[0].bbox")]);
  });

  it("says what is wrong with a file that is missing, no JSON, or of another kind, and where images must be", async () => {
    expect(await messageOf(readCoco(root, "val"))).toMatch(/Cannot read the folder .*annotations: there is none/);
    await annotate("val", "{");
    expect(await messageOf(readCoco(root, "train"))).toMatch(/choose one of the splits val of/);
    expect(await messageOf(readCoco(root, "val"))).toMatch(/instances_val\.json must be JSON/);
    await annotate("val", []);
    expect(await messageOf(readCoco(root, "val"))).toMatch(
      /must have a folder val, images\/val or images, there is none/,
    );
    await mkdir(join(root, "images"));
    expect(await messageOf(readCoco(root, "val"))).toMatch(
      /faults are 3:\n.*categories must be a list, current value is none/,
    );
  });
});

describe("a COCO folder with links", () => {
  it("is read through links to folders, and ends at those to a folder that they lie in", async () => {
    await annotate("val2017", { images: [image(3)], categories, annotations: [] });
    await writeImage("elsewhere/3.png");
    await symlink("elsewhere", join(root, "val2017"));
    for (const name of ["self", "again"]) await symlink(".", join(root, "elsewhere", name));
    expect((await readCoco(root, "val2017")).images.map(({ id }) => id)).toEqual([3]);
  });
});

describe("COCO results", () => {
  it("come back as they were", async () => {
    await annotate("val", { images: [image(1)], categories, annotations: [] });
    await writeImage("images/1.png");
    const set = await readCoco(root, "val");
    const mask: Rle = { size: [4, 6], counts: Uint32Array.of(5, 2, 2, 2, 13) };
    const detections = [
      { imageId: 1, category: 1, box: [1, 1, 3, 3] as const, score: 0.5 },
      { imageId: 1, category: 0, box: [0.5, 1, 3, 3.25] as const, score: 0.25, mask },
    ];
    const written = JSON.parse(JSON.stringify(toCocoResults(set, detections))) as Record<string, unknown>[];
    expect(written).toEqual([
      { image_id: 1, category_id: 90, bbox: [1, 1, 2, 2], score: 0.5 },
      {
        image_id: 1,
        category_id: 1,
        bbox: [0.5, 1, 2.5, 2.25],
        score: 0.25,
        segmentation: { size: [4, 6], counts: "5220;" },
      },
    ]);
    expect(fromCocoResults(set, written, "results.json")).toEqual(detections);
    const { bbox: _, ...withoutBox } = written[1]!;
    expect(fromCocoResults(set, [withoutBox], "results.json")[0]!.box).toEqual([1, 1, 3, 3]);
  });

  it("are refused with every entry that is wrong", async () => {
    await annotate("val", { images: [image(1)], categories, annotations: [] });
    await writeImage("images/1.png");
    const set = await readCoco(root, "val");
    const good = { image_id: 1, category_id: 1, bbox: [0, 0, 1, 1], score: 1 };
    const entries = [{ ...good, image_id: 2 }, { ...good, category_id: 2 }, { ...good, score: null }, null, good];
    const read = (results: unknown) => () => fromCocoResults(set, results, "results.json");
    expect(read(entries)).toThrow(
      /correct results\.json, faults are 4:\n\[0\]\.image_id .* is 2\n\[1\]\.category_id .* is 2\n\[2\]\.score .*\n\[3\]\.image_id .* is none/,
    );
    expect(read({})).toThrow("results.json must be a list, current value is object");
    expect(read([{ ...good, segmentation: [[0, 0, 1, 1, 1, 0]] }])).toThrow("[0].segmentation must be run lengths");
    expect(read([{ ...good, bbox: undefined }])).toThrow("[0].bbox must be four numbers");
  });
});
