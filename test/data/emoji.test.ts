import { readFile } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "vitest";
import sharp from "sharp";
import { emojiCredit, loadEmoji } from "../../src/data/emoji";
import { parseEmojiEntries, readPackageFile } from "../../src/data/emoji-package";
import { emojiSplitPath, readEmojiSplit } from "../../src/data/emoji-split";
import { emojiShares, formatEmojiSplit, makeEmojiSplit } from "../../src/data/make-emoji-split";
import type { ImageData, PixelSet } from "../../src/data/image-set";
import { nearCopyShare } from "../../src/data/near-copies";
import { InputError } from "../../src/errors";

let data: ImageData<PixelSet>;
let sets: readonly PixelSet[];

beforeAll(async () => {
  data = await loadEmoji();
  sets = [data.train, data.validation, data.test];
});

/** Mean color of the middle half of an image. */
function middleColor(id: string): readonly number[] {
  const set = sets.find(({ ids }) => ids.includes(id))!;
  const { size, pixels, ids } = set;
  const sums = [0, 0, 0];
  for (let row = size / 4; row < (3 * size) / 4; row++) {
    for (let column = size / 4; column < (3 * size) / 4; column++) {
      const start = ((ids.indexOf(id) * size + row) * size + column) * 3;
      sums.forEach((_, channel) => (sums[channel]! += pixels[start + channel]!));
    }
  }
  return sums.map((sum) => sum / (size / 2) ** 2);
}

describe("the split of the emoji set", () => {
  it("is what the script makes from the installed packages", async () => {
    expect(formatEmojiSplit(await makeEmojiSplit())).toBe(await readFile(emojiSplitPath, "utf8"));
  });

  it("has no group in two parts", async () => {
    const partOf = new Map<string, string>();
    for (const { group, part } of (await readEmojiSplit()).emoji) {
      expect(partOf.get(group) ?? part).toBe(part);
      partOf.set(group, part);
    }
    const groups = sets.map((set) => new Set(set.groups));
    expect(new Set(groups.flatMap((set) => [...set])).size).toBe(groups.reduce((sum, set) => sum + set.size, 0));
  });

  it("has every emoji of the packages once, but for the skin-tone swatches", async () => {
    const packages = parseEmojiEntries(await readPackageFile("google", "emoji.json")).map(({ unified }) => unified);
    const split = (await readEmojiSplit()).emoji.map(({ unified }) => unified);
    expect(split).toEqual(packages);
    expect(new Set(split).size).toBe(1906);
  });

  it("gives each part its share of each category, within 2 % of the category", async () => {
    const { emoji } = await readEmojiSplit();
    for (const category of new Set(emoji.map((entry) => entry.category))) {
      const inCategory = emoji.filter((entry) => entry.category === category);
      for (const [part, share] of Object.entries(emojiShares)) {
        const found = inCategory.filter((entry) => entry.part === part).length / inCategory.length;
        expect(Math.abs(found - share)).toBeLessThan(0.02);
      }
    }
  });

  it("leaves no test or validation image with the very pixels of a training image", () => {
    const images = ({ pixels, size, ids }: PixelSet): string[] =>
      ids.map((_, index) =>
        Buffer.from(pixels.subarray(index * size ** 2 * 3, (index + 1) * size ** 2 * 3)).toString("base64"),
      );
    const train = new Set(images(data.train));
    expect([...images(data.validation), ...images(data.test)].filter((image) => train.has(image))).toEqual([]);
  });

  it("leaves 11.8 % of test images with a near copy in train, half of what a split by single emoji leaves", () => {
    expect(nearCopyShare(data.test.pixels, data.train.pixels, 0.9, 32)).toBeCloseTo(0.118, 3);
    // Every fourth emoji to test, whatever its group.
    const all = sets.flatMap(({ ids, pixels }) =>
      ids.map((id, index) => ({ emoji: id.split("/")[0]!, pixels: pixels.subarray(index * 3072, (index + 1) * 3072) })),
    );
    const emoji = [...new Set(all.map((image) => image.emoji))].sort();
    const toTest = new Set(emoji.filter((_, index) => index % 4 === 0));
    const join = (test: boolean): Uint8Array =>
      Buffer.concat(all.filter((image) => toTest.has(image.emoji) === test).map((image) => image.pixels));
    expect(nearCopyShare(join(true), join(false), 0.9, 32)).toBeGreaterThan(0.2);
  });
});

describe("loadEmoji", () => {
  it("gives 3,812 images of nine classes, each as large as its arrays say", () => {
    expect(sets.reduce((sum, set) => sum + set.labels.length, 0)).toBe(3812);
    expect(data.train.classes).toHaveLength(9);
    for (const { pixels, labels, groups, twins, ids, size } of sets) {
      expect(pixels).toHaveLength(labels.length * size * size * 3);
      expect([groups.length, twins!.length, ids.length]).toEqual([labels.length, labels.length, labels.length]);
      expect(new Set(labels).size).toBe(9);
    }
  });

  it("makes the hands of an emoji each other's twins, of the same class and group", () => {
    for (const { twins, labels, groups, ids } of sets) {
      twins!.forEach((twin, index) => {
        expect(twin).not.toBe(index);
        expect(twins![twin]).toBe(index);
        expect([labels[twin], groups[twin]]).toEqual([labels[index], groups[index]]);
        expect(ids[twin]!.split("/")[0]).toBe(ids[index]!.split("/")[0]);
        expect(ids[twin]).not.toBe(ids[index]);
      });
    }
  });

  it("shows a red heart, a green heart and a black circle by both hands", () => {
    for (const vendor of ["google", "twitter"]) {
      const [red, green, blue] = middleColor(`2764-fe0f/${vendor}`);
      expect(red).toBeGreaterThan(180);
      expect(Math.max(green!, blue!)).toBeLessThan(100);
      const heart = middleColor(`1f49a/${vendor}`);
      expect(heart[1]).toBeGreaterThan(Math.max(heart[0]!, heart[2]!) + 50);
      expect(Math.max(...middleColor(`26ab/${vendor}`))).toBeLessThan(80);
    }
  });

  it("shows the same images as the packages' single files of 64 px, on white", async () => {
    const set = data.test;
    for (let index = 0; index < set.ids.length; index += 50) {
      const [unified, vendor] = set.ids[index]!.split("/") as [string, "google" | "twitter"];
      const single = await sharp(await readPackageFile(vendor, `img/${vendor}/64/${unified}.png`))
        .flatten({ background: "#ffffff" })
        .resize(32, 32)
        .toColorspace("srgb")
        .raw()
        .toBuffer();
      const image = set.pixels.subarray(index * 3072, (index + 1) * 3072);
      const difference = single.reduce((sum, value, place) => sum + Math.abs(value - image[place]!), 0) / 3072;
      expect(difference, set.ids[index]).toBeLessThan(10); // gray levels: the reduction differs, the drawing does not
    }
  });

  it("measures mean and standard deviation of train", () => {
    const red = data.train.pixels.filter((_, index) => index % 3 === 0);
    const mean = red.reduce((sum, value) => sum + value, 0) / red.length;
    const variance = red.reduce((sum, value) => sum + (value - mean) ** 2, 0) / red.length;
    expect(data.mean[0]).toBeCloseTo(mean / 255, 9);
    expect(data.std[0]).toBeCloseTo(Math.sqrt(variance) / 255, 9);
  });

  it("gives the same checksum each time, and another for another size", async () => {
    expect((await loadEmoji()).checksum).toBe(data.checksum);
    const small = await loadEmoji({ size: 16 });
    expect(small.train.size).toBe(16);
    expect(small.train.ids).toEqual(data.train.ids);
    expect(small.checksum).not.toBe(data.checksum);
  });

  it("refuses a size that the packages do not have", async () => {
    await expect(loadEmoji({ size: 33 })).rejects.toThrow(InputError);
    await expect(loadEmoji({ size: 33 })).rejects.toThrow("size must be one of 16, 20, 32, 64, current value is 33");
  });
});

describe("emojiCredit", () => {
  it("names both hands and their licenses, in one line", () => {
    expect(emojiCredit).toMatch(/Twemoji.*CC-BY 4\.0.*Noto.*Apache-2\.0/);
  });
});
