import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import sharp from "sharp";
import { loadImageFolder } from "../../src/data/image-folder";

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
    expect([...data.train.pixels.subarray(0, 3)]).toEqual([255, 0, 0]);
    expect([...data.validation.pixels.subarray(0, 3)]).toEqual([0, 255, 0]);
    expect([...data.test.pixels.subarray(0, 3)]).toEqual([0, 0, 255]);
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

  it("reads gray, transparent, 16-bit and CMYK images as three channels of 8 bits", async () => {
    await paint("a/color.png", "rgb(100,100,100)");
    const base = sharp(await readFile(join(root, "a/color.png")));
    await base.clone().toColorspace("b-w").toFile(join(root, "a/gray.png"));
    await base.clone().toColorspace("rgb16").toFile(join(root, "a/deep.png"));
    await base.clone().ensureAlpha(0).toFile(join(root, "a/clear.webp"));
    await base.clone().toColorspace("cmyk").jpeg().toFile(join(root, "a/print.jpg"));
    await paint("b/other.png", "black");
    const { train, validation, test } = await loadImageFolder(root, { size: 4 });
    const first = new Map<string, number>();
    for (const { ids, pixels } of [train, validation, test]) {
      expect(pixels).toHaveLength(ids.length * 48);
      ids.forEach((id, index) => first.set(id, pixels[index * 48]!));
    }
    expect(first.get("a/gray.png")).toBe(100);
    expect(first.get("a/deep.png")).toBe(100);
    expect(first.get("a/clear.webp")).toBe(255);
    expect(Math.abs(first.get("a/print.jpg")! - 100)).toBeLessThan(12); // conversion through a printing profile
  });

  it("resizes the shorter side and cuts the center", async () => {
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
    expect(train.pixels.subarray(0, 192).every((value) => value === 255)).toBe(true);
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
    await expect(loadImageFolder(join(root, "none"))).rejects.toThrow(/missing is .*none/);
    await expect(loadImageFolder(root)).rejects.toThrow(/at least two classes, found are 0/);
    await paintClasses("train");
    await paint("test/triangle/1.png", "red");
    await expect(loadImageFolder(root)).rejects.toThrow(/unknown is triangle/);
  });

  it("refuses a size that is no positive integer", async () => {
    await expect(loadImageFolder(root, { size: 0 })).rejects.toThrow("current value is 0");
  });
});
