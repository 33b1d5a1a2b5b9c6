import { beforeAll, describe, expect, it } from "vitest";
import { loadEmoji } from "../../../src/data/emoji";
import { parts, readEmojiSplit } from "../../../src/data/emoji-split";
import { cocoMetrics, matchCoco } from "../../../src/detection/metric/coco-metric";
import {
  composeScenes,
  sceneChecksum,
  sceneCounts,
  sceneCredit,
  type SceneSet,
} from "../../../src/detection/data/scenes";
import { matchVoc, vocMetrics } from "../../../src/detection/metric/voc-metric";
import { InputError } from "../../../src/errors";

let test: SceneSet;

beforeAll(async () => {
  test = await composeScenes({ part: "test" });
}, 60_000);

describe("composeScenes", () => {
  it("makes the 500 test scenes with the same bits everywhere", async () => {
    expect(test.images).toHaveLength(500);
    expect(await sceneChecksum(test)).toBe("91c774f21267caeb6aa0ec7012e5d19e5cd05134039c633dd34ccf10df4e9b7b");
  });

  it.each([
    { part: "train", size: 96, checksum: "c2d553062fa9abf667db0ed8b59d8d68ee7c72d5f9bfd586498da0d5d2fe5eb9" },
    { part: "validation", size: 128, checksum: "879f56aaba20acc414cee74f0ea921b73bba2e45e5268eb935596c2b6d485f41" },
  ] as const)(
    "makes the first scenes of $part at $size px with the same bits everywhere",
    async ({ checksum, ...options }) => {
      expect(await sceneChecksum(await composeScenes({ ...options, count: 8 }))).toBe(checksum);
    },
  );

  it("draws only emoji of its part, so test scenes hold none whose group pre-training has seen", async () => {
    const split = await readEmojiSplit();
    const trainedOn = new Set(split.emoji.filter(({ part }) => part !== "test").map(({ group }) => group));
    for (const part of parts) {
      const set = part === "test" ? test : await composeScenes({ part, count: 250 });
      const drawn = new Set(set.images.flatMap(({ objects }) => objects.map(({ drawing }) => drawing.split("/")[0]!)));
      const entries = split.emoji.filter(({ unified }) => drawn.has(unified.toLowerCase()));
      expect(entries).toHaveLength(drawn.size);
      expect(new Set(entries.map((entry) => entry.part))).toEqual(new Set([part]));
      if (part === "test") expect(entries.filter(({ group }) => trainedOn.has(group))).toEqual([]);
    }
  });

  it("labels objects with the nine categories as the emoji set does, and uses both hands", async () => {
    const emoji = (await loadEmoji({ size: 16 })).test;
    expect(test.categories.map(({ name }) => name)).toEqual(emoji.classes);
    const labels = new Map(emoji.ids.map((id, index) => [id, emoji.labels[index]]));
    const objects = test.images.flatMap((image) => image.objects);
    for (const { drawing, category } of objects) expect(category).toBe(labels.get(drawing));
    const share = (of: (object: (typeof objects)[number]) => boolean): number =>
      objects.filter(of).length / objects.length;
    for (const label of emoji.classes.keys()) expect(share(({ category }) => category === label)).toBeCloseTo(1 / 9, 1);
    expect(share(({ drawing }) => drawing.endsWith("/google"))).toBeCloseTo(1 / 2, 1);
    expect(Math.max(...test.images.map((image) => image.objects.length))).toBe(8);
    expect(Math.min(...test.images.map((image) => image.objects.length))).toBe(1);
  });

  it("makes the same first scenes whatever the count, and others of another seed or part", async () => {
    const few = await composeScenes({ part: "test", count: 3 });
    expect(few.images).toEqual(test.images.slice(0, 3));
    expect(await few.readPixels(few.images[2]!)).toEqual(await test.readPixels(test.images[2]!));
    const first = new Set<string>();
    for (const options of [
      { part: "test", seed: 0 },
      { part: "test", seed: 1 },
      { part: "train", seed: 0 },
    ] as const) {
      first.add(await sceneChecksum(await composeScenes({ ...options, count: 1 })));
    }
    expect(first.size).toBe(3);
  });

  it("reads the pixels of an image of the size it says", async () => {
    const set = await composeScenes({ part: "validation", size: 33, count: 2 });
    for (const image of set.images) {
      expect([image.width, image.height]).toEqual([33, 33]);
      expect(await set.readPixels(image)).toHaveLength(33 * 33 * 3);
    }
    await expect(set.readPixels({ ...set.images[0]!, id: 3 })).rejects.toThrow(InputError);
    await expect(set.readPixels({ ...set.images[0]!, id: 3 })).rejects.toThrow(
      "id must be from 1 to 2, current value is 3",
    );
  });

  it("makes sets that the metrics take: its own objects as detections score 1", () => {
    const detections = test.images.flatMap(({ id, objects }) =>
      objects.map(({ category, box, mask }) => ({ imageId: id, category, box, mask, score: 1 })),
    );
    for (const of of ["box", "mask"] as const) {
      expect(cocoMetrics(matchCoco(test, detections, { of })).ap).toBeCloseTo(1, 12);
    }
    expect(vocMetrics(matchVoc(test, detections), "area").ap).toBeCloseTo(1, 12);
  });

  it("has 2,000 train, 250 validation and 500 test scenes", () => {
    expect(sceneCounts).toEqual({ train: 2000, validation: 250, test: 500 });
  });

  it("refuses a size or count that is none", async () => {
    for (const size of [31, 513, 96.5, NaN]) {
      await expect(composeScenes({ part: "test", size })).rejects.toThrow(
        `size must be an integer from 32 to 512, current value is ${size}`,
      );
    }
    await expect(composeScenes({ part: "test", count: 0 })).rejects.toThrow(InputError);
    await expect(composeScenes({ part: "test", count: 0 })).rejects.toThrow("count must be a positive integer");
  });
});

describe("sceneCredit", () => {
  it("names both hands and their licenses and what was changed, in one line", () => {
    expect(sceneCredit).toMatch(/Twemoji.*CC-BY 4\.0.*Noto.*Apache-2\.0.*Changed: .*made backgrounds\.$/);
  });
});
