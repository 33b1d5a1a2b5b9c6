import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, open, readFile, rename, rm, rmdir, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import sharp from "sharp";
import { imageTensor } from "../../src/data/batches";
import { loadImageFolder } from "../../src/data/image-folder";
import type { FileSet } from "../../src/data/image-set";

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "images-"));
});
afterEach(() => rm(root, { recursive: true }));

/** Writes an image of one color. */
async function paint(path: string, color: string, width = 8, height = 8): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await sharp({ create: { width, height, channels: 3, background: color } }).toFile(join(root, path));
}

/** Twenty images of different gray in each of two classes. */
async function paintClasses(part: string): Promise<void> {
  for (const name of ["circle", "square"]) {
    for (let index = 0; index < 20; index++) {
      const gray = index * 10 + (name === "circle" ? 0 : 5);
      await paint(join(part, name, `${index}.png`), `rgb(${gray},${gray},${gray})`);
    }
  }
}

/** All images as evaluation sees them, in bytes. */
function pixelsOf(set: FileSet): Uint8Array {
  const images = imageTensor(set, Int32Array.from(set.ids.keys()));
  const pixels = Uint8Array.from(images.dataSync(), (value) => Math.round(255 * value));
  images.dispose();
  return pixels;
}

describe("loadImageFolder", () => {
  it("takes train, val and test as they are", async () => {
    for (const [part, color] of [
      ["train", "red"],
      ["val", "lime"],
      ["test", "blue"],
    ] as const) {
      await paint(`${part}/a/1.png`, color);
      await paint(`${part}/b/1.png`, color);
    }
    const data = await loadImageFolder(root, { size: 4 });
    expect([...pixelsOf(data.train).subarray(0, 3)]).toEqual([255, 0, 0]);
    expect([...pixelsOf(data.validation).subarray(0, 3)]).toEqual([0, 255, 0]);
    expect([...pixelsOf(data.test).subarray(0, 3)]).toEqual([0, 0, 255]);
    expect(data.train.ids).toEqual(["train/a/1.png", "train/b/1.png"]);
    expect([...data.test.labels]).toEqual([0, 1]);
  });

  it("takes validation out of train where there is no val, 15 % of each class", async () => {
    await paintClasses("train");
    await paintClasses("test");
    const data = await loadImageFolder(root, { size: 4 });
    expect([data.train, data.validation, data.test].map((set) => set.ids.length)).toEqual([34, 6, 40]);
    expect([...data.validation.labels].sort()).toEqual([0, 0, 0, 1, 1, 1]);
  });

  it("takes val as the test part where there is no test, as for ImageNet", async () => {
    await paintClasses("train");
    await paintClasses("val");
    const data = await loadImageFolder(root, { size: 4 });
    expect(data.test.ids.every((id) => id.startsWith("val/"))).toBe(true);
    expect(data.validation.ids.every((id) => id.startsWith("train/"))).toBe(true);
  });

  it("leaves validation empty where nothing is to be held out of train, as for the paper's recipes", async () => {
    await paintClasses("train");
    await paintClasses("val");
    const { train, validation, test } = await loadImageFolder(root, { size: 4, holdOut: false });
    expect([train, validation, test].map(({ ids }) => ids.length)).toEqual([40, 0, 40]);
  });

  it("normalizes by the statistics of the training images, of all their pixels", async () => {
    await paint("train/a/1.png", "rgb(255,0,51)", 4, 4);
    await paint("train/b/1.png", "rgb(0,0,51)", 4, 12);
    for (const name of ["val/a", "val/b", "test/a", "test/b"]) await paint(`${name}/1.png`, "white");
    const { mean, std } = await loadImageFolder(root, { size: 4 });
    expect(mean).toEqual([0.25, 0, 0.2]);
    expect([std[0], std[1], std[2]]).toEqual([Math.sqrt(0.1875), 1, 1]);
  });

  it("reads no image of a large set when it is loaded, and normalizes it by ImageNet's statistics", async () => {
    await paintClasses(".");
    const file = await open(join(root, "circle/large.jpg"), "w");
    await file.truncate(2 ** 29); // takes no room on the disk
    await file.close();
    const { mean, std, train } = await loadImageFolder(root, { size: 4 });
    expect([mean, std]).toEqual([
      [0.485, 0.456, 0.406],
      [0.229, 0.224, 0.225],
    ]);
    expect(new Set(train.groups).size).toBe(train.ids.length);
  });

  it("decodes again only what has changed", async () => {
    const many = 500;
    for (let index = 0; index < many; index++)
      await paint(`${index % 2}/${index}.png`, `rgb(${index % 256},0,0)`, 1, 1);
    const broken = join(root, "0/0.png");
    await utimes(broken, 1000, 1000);
    const before = await loadImageFolder(root, { size: 4 });
    // A file that nobody can decode, of the same time and size: what is known of it is remembered.
    await writeFile(broken, "x".repeat((await stat(broken)).size));
    await utimes(broken, 1000, 1000);
    expect((await loadImageFolder(root, { size: 4 })).checksum).toBe(before.checksum);
    await utimes(broken, 1001, 1001);
    await expect(loadImageFolder(root, { size: 4 })).rejects.toThrow(/there are 1:\n0\/0.png/);
  });

  it("has another checksum when an image, a class or a part is another", async () => {
    await paintClasses("train");
    await paintClasses("test");
    const checksum = async () => (await loadImageFolder(root, { size: 4 })).checksum;
    const before = await checksum();
    expect(await checksum()).toBe(before);
    await paint("train/circle/3.png", "rgb(1,2,3)");
    const changed = await checksum();
    expect(changed).not.toBe(before);
    await rename(join(root, "test/circle/3.png"), join(root, "test/square/20.png"));
    expect(await checksum()).not.toBe(changed);
  });

  it("splits class folders alone by 60, 15 and 25 %", async () => {
    await paintClasses(".");
    const data = await loadImageFolder(root, { size: 4 });
    expect([data.train, data.validation, data.test].map((set) => set.ids.length)).toEqual([24, 6, 10]);
    expect((await loadImageFolder(root, { size: 4 })).test.ids).toEqual(data.test.ids);
  });

  it("keeps images of the same pixels in one part when it splits", async () => {
    await paintClasses(".");
    for (let index = 0; index < 6; index++) await paint(`circle/copy${index}.png`, "red");
    const { train, validation, test } = await loadImageFolder(root, { size: 4 });
    const copies = [train, validation, test].map((set) => set.ids.filter((id) => id.includes("copy")).length);
    expect(copies.filter((count) => count > 0)).toEqual([6]);
  });

  it("reads gray, transparent and 16-bit images as three channels of 8 bits", async () => {
    await paint("a/color.png", "rgb(100,100,100)");
    const base = sharp(await readFile(join(root, "a/color.png")));
    await base.clone().toColorspace("b-w").toFile(join(root, "a/gray.png"));
    await base.clone().toColorspace("rgb16").toFile(join(root, "a/deep.png"));
    await base.clone().ensureAlpha(0).toFile(join(root, "a/clear.webp"));
    for (let gray = 0; gray < 10; gray++) await paint(`b/${gray}.png`, `rgb(${gray},0,0)`);
    const { train, validation, test } = await loadImageFolder(root, { size: 4 });
    const first = new Map<string, number>();
    for (const set of [train, validation, test]) {
      const { ids } = set;
      const pixels = pixelsOf(set);
      expect(pixels).toHaveLength(ids.length * 48);
      ids.forEach((id, index) => first.set(id, pixels[index * 48]!));
    }
    expect(first.get("a/gray.png")).toBe(100);
    expect(first.get("a/deep.png")).toBe(100);
    expect(first.get("a/clear.webp")).toBe(255);
  });

  it("resizes the shorter side for evaluation and cuts the center", async () => {
    await mkdir(join(root, "train/a"), { recursive: true });
    // 16 wide, 8 high: red, white, white, blue quarters; the center is white.
    const pixels = Buffer.alloc(16 * 8 * 3, 255);
    for (let row = 0; row < 8; row++) {
      for (let column = 0; column < 4; column++) {
        pixels.set([255, 0, 0], (row * 16 + column) * 3);
        pixels.set([0, 0, 255], (row * 16 + 12 + column) * 3);
      }
    }
    await sharp(pixels, { raw: { width: 16, height: 8, channels: 3 } }).toFile(join(root, "train/a/wide.png"));
    await paint("train/b/1.png", "white");
    await paint("val/a/1.png", "white");
    await paint("test/a/1.png", "white");
    const { train } = await loadImageFolder(root, { size: 8 });
    expect(
      pixelsOf(train)
        .subarray(0, 192)
        .every((value) => value === 255),
    ).toBe(true);
  });

  it("reports every broken image with its path", async () => {
    await paintClasses("train");
    await paintClasses("test");
    await writeFile(join(root, "train/circle/broken.jpg"), "not an image");
    const whole = await sharp({ create: { width: 64, height: 64, channels: 3, background: "red" } })
      .jpeg()
      .toBuffer();
    await writeFile(join(root, "train/square/cut.jpg"), whole.subarray(0, whole.length / 2));
    await expect(loadImageFolder(root, { size: 4 })).rejects.toThrow(
      /there are 2:\n.*train\/circle\/broken\.jpg.*\n.*train\/square\/cut\.jpg/,
    );
  });

  it("says what is wrong with a folder that is missing, has no classes, or has a class in test only", async () => {
    await expect(loadImageFolder(join(root, "none"))).rejects.toThrow(/none: there is none/);
    await expect(loadImageFolder(root)).rejects.toThrow(/files without classes, found are 0/);
    await paintClasses("train");
    await paint("test/triangle/1.png", "red");
    await expect(loadImageFolder(root)).rejects.toThrow(/unknown is triangle/);
  });

  it("follows links to class folders and to images, as other loaders do", async () => {
    await paintClasses("elsewhere/train");
    await mkdir(join(root, "set/train"), { recursive: true });
    for (const name of ["circle", "square"]) {
      await symlink(join(root, "elsewhere/train", name), join(root, "set/train", name));
    }
    await symlink("../circle/3.png", join(root, "elsewhere/train/square/linked.png"));
    const { train, validation, test } = await loadImageFolder(join(root, "set"), { size: 4 });
    expect(train.classes).toEqual(["circle", "square"]);
    expect([train, validation, test].reduce((sum, { ids }) => sum + ids.length, 0)).toBe(41);
  });

  it("names links that lead nowhere or to themselves in all folders, and one to the folder around it", async () => {
    await paintClasses(".");
    await symlink("nowhere", join(root, "triangle"));
    await symlink("loop", join(root, "loop"));
    await symlink("nowhere", join(root, "square/21.png"));
    await symlink(root, join(root, "circle/around"));
    await expect(loadImageFolder(root)).rejects.toThrow(
      "must have files and folders that can be read, repair or remove what is another thing, there are 4:\n" +
        "loop: a link that leads nowhere\n" +
        "triangle: a link that leads nowhere\n" +
        "circle/around: a link to a folder that it lies in\n" +
        "square/21.png: a link that leads nowhere",
    );
  });

  it("names a named pipe, and does not wait for it", async () => {
    await paintClasses("train");
    execFileSync("mkfifo", [join(root, "train/square/x.jpg")]);
    await expect(loadImageFolder(root)).rejects.toThrow(
      /there are 1:\ntrain\/square\/x\.jpg: neither a file nor a folder/,
    );
  });

  it("names files and folders whose names are no UTF-8", async () => {
    await paintClasses(".");
    const bytes = (folder: string, ending = "") =>
      Buffer.concat([Buffer.from(`${join(root, folder)}/`), Buffer.of(0xe9), Buffer.from(ending)]);
    await writeFile(bytes("circle", ".png"), "");
    await expect(loadImageFolder(root)).rejects.toThrow(/there are 1:\ncircle\/\uFFFD\.png: a name that is not UTF-8$/);
    await rm(bytes("circle", ".png"));
    await mkdir(bytes("."));
    await expect(loadImageFolder(root)).rejects.toThrow(/there are 1:\n\uFFFD: a name that is not UTF-8$/);
    await rmdir(bytes("."));
    // The character that stands for what cannot be read is a name like others.
    await paint("circle/\uFFFD.png", "red");
    expect((await loadImageFolder(root)).train.ids).toContain("circle/\uFFFD.png");
  });

  it("passes over folders and files whose names begin with a dot", async () => {
    await paintClasses("train");
    await mkdir(join(root, "train/.ipynb_checkpoints"));
    await writeFile(join(root, "train/circle/._1.png"), "of a Mac");
    const { train } = await loadImageFolder(root, { size: 4 });
    expect(train.classes).toEqual(["circle", "square"]);
  });

  it("names every class folder that has no images directly in it, and says what it has", async () => {
    await paintClasses("train");
    await mkdir(join(root, "train/empty"));
    for (const file of ["old/1.bmp", "old/2.BMP", "mixed/1.heic", "notes/a.txt", "notes/b.csv"]) {
      await mkdir(dirname(join(root, "train", file)), { recursive: true });
      await writeFile(join(root, "train", file), "");
    }
    await paint("train/mixed/2.png", "red");
    for (const index of [1, 2, 3]) await paint(`train/n01443537/images/${index}.jpeg`, "red"); // as in Tiny ImageNet
    await expect(loadImageFolder(root)).rejects.toThrow(
      `every folder of ${join(root, "train")} must be a class and have JPEG, PNG, WebP, TIFF or GIF files directly in it; ` +
        "convert or move what is another way, that is in 5:\n" +
        "empty: empty\n" +
        "mixed: 1 .png; 1 .heic, which are not read\n" +
        "n01443537: 3 .jpeg in the folder images\n" +
        "notes: 1 .txt, 1 .csv\n" +
        "old: 1 .bmp, 1 .BMP, which are not read",
    );
  });

  it("says of a class folder that it has only names that begin with a dot", async () => {
    await paintClasses(".");
    await mkdir(join(root, "c/.ipynb_checkpoints"), { recursive: true });
    await expect(loadImageFolder(root)).rejects.toThrow("\nc: only names that begin with a dot: .ipynb_checkpoints");
  });

  it("names images at any depth below a class, and those of formats that are not read", async () => {
    await paintClasses(".");
    await paint("circle/x/y/1.png", "red");
    await writeFile(join(root, "square/1.avif"), "");
    await expect(loadImageFolder(root)).rejects.toThrow(
      "in 2:\ncircle: 20 .png; 1 .png in the folder x/y\nsquare: 20 .png; 1 .avif, which are not read",
    );
  });

  it.each(["val", "valid", "validation", "Val", "VALID"])("takes %s as the validation part", async (name) => {
    for (const part of ["train", name, "Test"]) await paintClasses(part);
    const { train, validation, test, warnings } = await loadImageFolder(root, { size: 4 });
    expect([train, validation, test].map(({ ids }) => ids.length)).toEqual([40, 40, 40]);
    expect(validation.ids[0]).toBe(`${name}/circle/0.png`);
    expect(warnings).toEqual([]);
  });

  it("takes Train and Val as parts, and Train as a class where other classes lie beside it", async () => {
    for (const part of ["Train", "Val"]) await paintClasses(part);
    expect((await loadImageFolder(root, { size: 4 })).test.ids[0]).toBe("Val/circle/0.png");
    await paint("extra/0.png", "red");
    expect((await loadImageFolder(root, { size: 4 })).test.ids[0]).toBe("Val/circle/0.png");
    await rm(root, { recursive: true });
    for (const name of ["Bus", "Train"])
      for (let red = 0; red < 20; red++) await paint(`${name}/${red}.png`, `rgb(${red},${name.length},0)`);
    expect((await loadImageFolder(root, { size: 4 })).train.classes).toEqual(["Bus", "Train"]);
  });

  it("refuses two folders for one part, and a folder train that may be a class", async () => {
    for (const part of ["train", "val", "valid"]) await paintClasses(part);
    await expect(loadImageFolder(root)).rejects.toThrow(
      /one folder for each part, for validation there are val, valid/,
    );
    await rm(root, { recursive: true });
    for (const name of ["bus", "train"]) await paint(`${name}/1.png`, "red");
    await expect(loadImageFolder(root)).rejects.toThrow(
      /images lie directly in train and in bus.*a class of its own.*train\/CLASS/,
    );
  });

  it("says what it passes over, folder by folder", async () => {
    await paintClasses("train");
    await paintClasses("val");
    for (const file of [
      "notes.txt",
      "stray.jpg",
      "unlabeled/1.png",
      "unlabeled/2.png",
      "train/circle/3.jpg_original",
    ]) {
      await mkdir(dirname(join(root, file)), { recursive: true });
      await writeFile(join(root, file), "");
    }
    await writeFile(join(root, "train/circle/noending"), "");
    await writeFile(join(root, "val/square/._1.png"), "");
    await mkdir(join(root, "extra/empty"), { recursive: true });
    await symlink("nowhere", join(root, "extra/broken"));
    const { warnings } = await loadImageFolder(root, { size: 4 });
    expect(warnings).toEqual([
      `Passed over in ${root}, 8 in all:\n` +
        "directly in it: 1 .txt, 1 .jpg\n" +
        "extra: 1 a link that leads nowhere\n" +
        "train/circle: 1 .jpg_original, 1 without ending\n" +
        "unlabeled: 2 .png\n" +
        "val/square: 1 whose name begins with a dot",
    ]);
  });

  it("says which classes have no images in a part", async () => {
    await paintClasses("train");
    await paint("val/circle/1.png", "red");
    const { warnings } = await loadImageFolder(root, { size: 4 });
    expect(warnings).toEqual([`${join(root, "val")} has no images of 1 class of train: square`]);
  });

  it("says that parts without classes are passed over", async () => {
    for (const file of ["train/1.png", "train/2.png", "val/3.png"]) await paint(file, "red");
    expect((await loadImageFolder(root, { size: 4 })).warnings).toEqual([
      `Passed over in ${root}, 1 in all:\nval: 1 .png`,
    ]);
  });

  it("refuses a part with a class that train does not have, also where train has one class", async () => {
    for (const file of ["train/a/1.png", "val/a/1.png", "val/b/1.png"]) await paint(file, "red");
    await expect(loadImageFolder(root)).rejects.toThrow(/every class of .*val must be one of train, unknown is b/);
  });

  it("refuses images that lie beside class folders", async () => {
    await paintClasses("train");
    await paint("train/stray.png", "red");
    await expect(loadImageFolder(root)).rejects.toThrow(/beside the class folders: 1 \.png/);
  });

  it("reads TIFF and GIF", async () => {
    await paintClasses(".");
    await paint("circle/one.tif", "rgb(10,20,30)");
    await paint("circle/two.gif", "rgb(0,0,255)");
    const { train, validation, test } = await loadImageFolder(root, { size: 4 });
    const first = new Map<string, number[]>();
    for (const set of [train, validation, test]) {
      const pixels = pixelsOf(set);
      set.ids.forEach((id, index) => first.set(id, [...pixels.subarray(index * 48, index * 48 + 3)]));
    }
    expect(first.get("circle/one.tif")).toEqual([10, 20, 30]);
    expect(first.get("circle/two.gif")).toEqual([0, 0, 255]);
  });

  it.each([".", "train", "train/only"])("takes images in %s as a training part without classes", async (folder) => {
    for (const index of [1, 2, 3]) await paint(`${folder}/${index}.png`, `rgb(${index},0,0)`);
    const { train, validation, test } = await loadImageFolder(root, { size: 4 });
    expect([train, validation, test].map(({ ids }) => ids.length)).toEqual([3, 0, 0]);
    expect([train.classes, [...train.labels]]).toEqual([[], [-1, -1, -1]]);
    await writeFile(join(root, folder, "4.bmp"), "");
    await expect(loadImageFolder(root)).rejects.toThrow(/4\.bmp|1 \.bmp/);
  });

  it("says which part comes out empty of a set that is too small", async () => {
    for (const name of ["a", "b"]) for (const color of ["red", "blue"]) await paint(`${name}/${color}.png`, color);
    await expect(loadImageFolder(root)).rejects.toThrow(
      "must have enough images for each part, validation gets 0 of 4. Add images, or give the parts in folders",
    );
  });

  it("refuses a size that is no positive integer", async () => {
    await expect(loadImageFolder(root, { size: 0 })).rejects.toThrow("current value is 0");
  });
});
