import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { joinSets } from "../../../src/detection/structures/detection-set";
import { readVoc, vocCategories } from "../../../src/detection/data/read-voc";
import { messageOf } from "../message-of";

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "voc-"));
});
afterEach(() => rm(root, { recursive: true }));

async function write(path: string, text: string | Uint8Array): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text);
}

async function image(id: string, width = 40, height = 30, extension = "jpg"): Promise<void> {
  await mkdir(join(root, "JPEGImages"), { recursive: true });
  const file = join(root, "JPEGImages", `${id}.${extension}`);
  await sharp({ create: { width, height, channels: 3, background: "#ff0000" } }).toFile(file);
}

function objectXml(name: string, box: readonly (number | string)[], more = ""): string {
  const [xmin, ymin, xmax, ymax] = box;
  return `<object><name>${name}</name>${more}<bndbox><xmin>${xmin}</xmin><ymin>${ymin}</ymin><xmax>${xmax}</xmax><ymax>${ymax}</ymax></bndbox></object>`;
}

function annotation(objects: string, size = "<width>40</width><height>30</height><depth>3</depth>"): string {
  return `<annotation><filename>other.jpg</filename><size>${size}</size>${objects}</annotation>`;
}

describe("readVoc", () => {
  describe("of strangers", () => {
    const read = async (text: string) => {
      await write("Annotations/1.xml", text);
      await write("ImageSets/Main/val.txt", "1\n");
      await image("1");
      return readVoc(root, "val");
    };

    it("refuses entities: none is expanded, and no other file is read", async () => {
      const bomb = Array.from({ length: 30 }, (_, at) => `<!ENTITY a${at + 1} "&a${at};&a${at};">`).join("");
      for (const [entities, name] of [
        [`<!ENTITY a0 "lol">${bomb}`, "&a30;"],
        ['<!ENTITY a SYSTEM "file:///etc/passwd">', "&a;"],
      ]) {
        const xml = `<!DOCTYPE annotation [${entities}]>${annotation(objectXml(name!, [1, 1, 5, 5]))}`;
        expect(await messageOf(read(xml))).toMatch(/Annotations\/1\.xml: must be well-formed XML: .*entity/i);
      }
    });

    it("passes over elements nested 100,000 deep, or refuses the file by its name", async () => {
      const deep = `${"<a>".repeat(100_000)}${"</a>".repeat(100_000)}`;
      expect((await read(annotation(deep + objectXml("dog", [1, 1, 5, 5])))).images[0]!.objects).toHaveLength(1);
      expect(await messageOf(read(annotation(objectXml(deep, [1, 1, 5, 5]))))).toContain("Annotations/1.xml");
    });

    it.each(["NaN", "Infinity", "1e999", "0x10", "", "1,5", "[1]"])(
      "refuses the corner %s by its field",
      async (value) => {
        expect(await messageOf(read(annotation(objectXml("dog", [value, 1, 5, 5]))))).toContain(
          `Annotations/1.xml: object 1: bndbox.xmin must be a number, current value is ${value || "empty"}`,
        );
      },
    );

    it.each(["__proto__", "constructor", "toString"])("takes the category %s as a name", async (name) => {
      const { categories, images } = await read(annotation(objectXml(name, [1, 1, 5, 5])));
      expect(categories[images[0]!.objects[0]!.category]!.name).toBe(name);
    });
  });

  it("reads boxes into continuous coordinates, difficult objects, and pixels when asked", async () => {
    const part = `<part><name>head</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></part>`;
    await write(
      "Annotations/2007_000001.xml",
      annotation(
        objectXml("person", [1, 1, 40, 30], `${part}<difficult>1</difficult>`) +
          objectXml("dog", [" 11 ", "5.5", 20, 25], "<difficult>0</difficult>"),
      ),
    );
    await write("Annotations/2007_000002.xml", annotation(""));
    await image("2007_000001");
    await image("2007_000002", 40, 30, "png");
    await write("ImageSets/Main/trainval.txt", "2007_000001  1\r\n2007_000002 -1\n\n");
    const set = await readVoc(root, "trainval");
    expect(set.categories.map(({ name }) => name)).toEqual(vocCategories);
    expect(set.images).toEqual([
      {
        id: "2007_000001",
        fileName: "2007_000001.jpg",
        width: 40,
        height: 30,
        objects: [
          { box: [0, 0, 40, 30], category: 14, difficult: true, crowd: false, area: 1200 },
          { box: [10, 4.5, 20, 25], category: 11, difficult: false, crowd: false, area: 205 },
        ],
      },
      { id: "2007_000002", fileName: "2007_000002.png", width: 40, height: 30, objects: [] },
    ]);
    const pixels = await set.readPixels(set.images[1]!);
    expect(pixels).toHaveLength(40 * 30 * 3);
    expect([...pixels.subarray(0, 3)]).toEqual([255, 0, 0]);
  });

  it("takes other categories from all annotations, so that every part has the same", async () => {
    await write("Annotations/a.xml", annotation(objectXml("RBC", [1, 1, 9, 9])));
    await write("Annotations/b.xml", annotation(objectXml("WBC", [1, 1, 9, 9]) + objectXml("Platelets", [1, 1, 9, 9])));
    await image("a");
    await write("ImageSets/Main/train.txt", "a\n");
    const set = await readVoc(root, "train");
    expect(set.categories.map(({ name }) => name)).toEqual(["Platelets", "RBC", "WBC"]);
    expect(set.images[0]!.objects[0]!.category).toBe(1);
  });

  it("names every file and field that is wrong in one message", async () => {
    await write("Annotations/broken.xml", "<annotation><size></annotation>");
    await write("Annotations/cut.xml", annotation(objectXml("cat", [1, 1, 9, 9])).slice(0, 80));
    await write("Annotations/size.xml", annotation("", "<width>0</width>"));
    await write(
      "Annotations/objects.xml",
      annotation(
        objectXml("cat", [504, 337, 504, 337]) +
          objectXml("", [1, 1, 9, 9]) +
          objectXml("cat", [1, "x", 9, ""]) +
          objectXml("cat", [1, 1, 9, 9], "<difficult>maybe</difficult>") +
          objectXml("cat", [100, 1, 120, 9]) +
          objectXml("unicorn", [1, 1, 9, 9]),
      ),
    );
    for (const id of ["broken", "cut", "size", "objects", "alone"]) await image(id);
    await write("Annotations/unseen.xml", annotation(""));
    await write("ImageSets/Main/val.txt", "broken\ncut\nsize\nobjects\nalone\nunseen\n");
    const lines = (await messageOf(readVoc(root, "val", { categories: ["cat"] }))).split("\n");
    expect(lines[0]).toMatch(/correct the files of .*, faults are 13:$/);
    expect(lines.slice(1)).toHaveLength(13);
    expect(lines).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^Annotations\/broken\.xml: must be well-formed XML: /),
        expect.stringMatching(/^Annotations\/cut\.xml: must be well-formed XML: /),
        "Annotations/alone.xml: must exist, the split val names it",
        "Annotations/objects.xml: object 1 (cat): bndbox must have xmin < xmax and ymin < ymax, current value is 504, 337, 504, 337",
        "Annotations/objects.xml: object 2: name must be given, current value is empty",
        "Annotations/objects.xml: object 3: bndbox.ymin must be a number, current value is x",
        "Annotations/objects.xml: object 3: bndbox.ymax must be a number, current value is empty",
        "Annotations/objects.xml: object 4: difficult must be 0 or 1, current value is maybe",
        "Annotations/objects.xml: object 5: bndbox must touch the image of 40 x 30, current value is 100, 1, 120, 9",
        'Annotations/objects.xml: object 6: name must be one of cat, current value is "unicorn"',
        "Annotations/size.xml: size.height must be a positive integer, current value is none",
        "Annotations/size.xml: size.width must be a positive integer, current value is 0",
        "JPEGImages/unseen.jpg: must exist, the split val names it",
      ]),
    );
  });

  it.each<[string, string, (text: string) => Buffer | Uint8Array]>([
    ["gb2312", "猫", () => Buffer.from([0xc3, 0xa8])],
    ["ISO-8859-1", "chaté", (text) => Buffer.from(text, "latin1")],
    ["utf-8", "猫", (text) => Buffer.from(text)],
  ])("reads what a file declares, %s", async (encoding, name, encode) => {
    const [before, after] = annotation(objectXml("NAME", [1, 1, 9, 9])).split("NAME") as [string, string];
    const head = `<?xml version='1.0' encoding='${encoding}'?>\n${before}`;
    await write("Annotations/a.xml", Buffer.concat([Buffer.from(head), encode(name), Buffer.from(after)]));
    await image("a");
    await write("ImageSets/Main/train.txt", "a");
    expect((await readVoc(root, "train")).categories.map((category) => category.name)).toEqual([name]);
  });

  it.each<[string, (text: string) => Buffer]>([
    ["UTF-8", (text) => Buffer.from(`\ufeff${text}`)],
    ["UTF-16", (text) => Buffer.from(`\ufeff<?xml version="1.0" encoding="utf-16"?>${text}`, "utf16le")],
    ["UTF-16, big-endian", (text) => Buffer.from(`\ufeff${text}`, "utf16le").swap16()],
    ["UTF-16 without one", (text) => Buffer.from(`<?xml version="1.0" encoding="utf-16"?>${text}`, "utf16le")],
  ])("reads a file with the byte-order mark of %s", async (_, encode) => {
    await write("Annotations/a.xml", encode(annotation(objectXml("猫", [1, 1, 9, 9]))));
    await image("a");
    await write("ImageSets/Main/train.txt", "\ufeffa\r\n");
    const { categories, images } = await readVoc(root, "train");
    expect([categories.map(({ name }) => name), images.map(({ id }) => id)]).toEqual([["猫"], ["a"]]);
  });

  it("names files that are not in the encoding that they declare, or in one that is unknown", async () => {
    const text = annotation(objectXml("NAME", [1, 1, 9, 9]));
    const latin = (head: string) => Buffer.from(head + text.replace("NAME", "\xe9t\xe9"), "latin1");
    await write("Annotations/a.xml", latin(""));
    await write("Annotations/b.xml", latin('<?xml version="1.0" encoding="UTF-8"?>'));
    await write("Annotations/c.xml", latin('<?xml version="1.0" encoding="klingon"?>'));
    for (const id of ["a", "b", "c"]) await image(id);
    await write("ImageSets/Main/train.txt", "a\nb\nc");
    expect((await messageOf(readVoc(root, "train"))).split("\n").slice(1)).toEqual([
      "Annotations/a.xml: must be text in UTF-8, or declare its encoding",
      "Annotations/b.xml: must be text in UTF-8",
      "Annotations/c.xml: its encoding must be a known one, current value is klingon",
    ]);
  });

  it("leaves objects without area out when asked, and names them", async () => {
    await write("Annotations/a.xml", annotation(objectXml("cat", [5, 5, 5, 5]) + objectXml("dog", [1, 1, 9, 9])));
    await image("a");
    await write("ImageSets/Main/train.txt", "a");
    expect(await messageOf(readVoc(root, "train"))).toMatch(
      /leaveOutEmpty\), faults are 1:\nAnnotations\/a\.xml: object 1/,
    );
    const set = await readVoc(root, "train", { leaveOutEmpty: true });
    expect(set.images[0]!.objects).toHaveLength(1);
    expect(set.leftOut).toEqual([expect.stringContaining("Annotations/a.xml: object 1 (cat): bndbox must have")]);
  });

  it("says which splits there are, and refuses one that is empty or names an image twice", async () => {
    await write("Annotations/a.xml", annotation(""));
    await write("ImageSets/Main/train.txt", "a\na\n");
    await write("ImageSets/Main/val.txt", "\n");
    await image("a");
    expect(await messageOf(readVoc(root, "test"))).toMatch(/choose one of train, val in .*missing is .*test\.txt/);
    expect(await messageOf(readVoc(root, "train"))).toContain("named twice are a");
    expect(await messageOf(readVoc(root, "val"))).toContain("current count is 0");
    await write("ImageSets/Main/latin.txt", Buffer.from("\xe9t\xe9", "latin1"));
    expect(await messageOf(readVoc(root, "latin"))).toMatch(/latin\.txt must be text in UTF-8 or UTF-16/);
    expect(await messageOf(readVoc(join(root, "none"), "val"))).toMatch(
      /Cannot read the folder .*none.*: there is none/,
    );
  });

  it("refuses pixels that cannot be decoded or are of another size than annotated", async () => {
    for (const id of ["a", "b"]) await write(`Annotations/${id}.xml`, annotation(""));
    await image("a", 20, 30);
    await write("JPEGImages/b.jpg", "not an image");
    await write("ImageSets/Main/train.txt", "a\nb");
    const set = await readVoc(root, "train");
    expect(await messageOf(set.readPixels(set.images[0]!))).toMatch(/says, 40 x 30, current size is 20 x 30/);
    expect(await messageOf(set.readPixels(set.images[1]!))).toMatch(/replace .*b\.jpg/);
  });
});

describe("joinSets", () => {
  it("joins parts of the same categories and reads pixels from where they are", async () => {
    for (const id of ["a", "b"]) {
      await write(`Annotations/${id}.xml`, annotation(objectXml("cat", [1, 1, 9, 9])));
      await write(`ImageSets/Main/${id}.txt`, id);
      await image(id);
    }
    const [a, b] = [await readVoc(root, "a"), await readVoc(root, "b")];
    const joined = joinSets("both", [a, b]);
    expect(joined.images.map(({ id }) => id)).toEqual(["a", "b"]);
    expect(await joined.readPixels(joined.images[1]!)).toHaveLength(3600);
    expect(() => joinSets("twice", [a, a])).toThrow("an image must be in one of them");
    expect(() => joinSets("other", [a, { ...b, categories: [] }])).toThrow("must have the same categories");
  });
});
