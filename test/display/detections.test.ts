import sharp from "sharp";
import { describe, expect, it, vi } from "vitest";
import { encodeMask } from "../../src/detection/structures/mask-rle";
import { composeScenes } from "../../src/detection/data/scenes";
import { InputError } from "../../src/errors";
import { detectionsSvg, showDetections } from "../../src/display/detections";
import { maskPath } from "../../src/display/mask-path";
import { tinySet } from "../detection/tiny-detection";

const set = {
  ...tinySet(2),
  categories: [
    { id: 1, name: "cats & dogs" },
    { id: 2, name: "odd" },
  ],
};
const [first] = set.images;
const count = (svg: string, text: string) => svg.split(text).length - 1;

describe("detectionsSvg", () => {
  it("draws each annotated object, and beside them what was found with enough score", async () => {
    const found = [0.9, 0.4].map((score) => ({ imageId: first!.id, category: 0, box: [1, 1, 9, 9] as const, score }));
    const svg = await detectionsSvg(set, found, { images: [first!] });
    expect(count(svg, "<image ")).toBe(2);
    expect(svg).toContain("cats &amp; dogs</text>");
    expect(svg).toContain("cats &amp; dogs 90 %");
    expect(svg).not.toContain("40 %");
    expect(svg).toContain("found, score of 50 % or more: 1");
  });

  it("draws annotations alone where nothing was looked for, dashed where they are not scored", async () => {
    const difficult = { ...first!, objects: first!.objects.map((object) => ({ ...object, difficult: true })) };
    const svg = await detectionsSvg(set, [], { images: [difficult, set.images[1]!] });
    expect(count(svg, "<image ")).toBe(2);
    expect(count(svg, "stroke-dasharray")).toBe(difficult.objects.length);
  });

  it("draws masks on both sides where they were found, each pixel once, and none where boxes alone were", async () => {
    const { width, height } = first!;
    const pixels = Uint8Array.from({ length: width * height }, (_, at) => Number(at % width === 4 || at === 0));
    const box = [0, 0, 5, height] as const;
    const found = { imageId: first!.id, category: 0, box, score: 0.9, mask: encodeMask(pixels, height, width) };
    const svg = await detectionsSvg(set, [found], { images: [first!] });
    expect(count(svg, "<path ")).toBe(first!.objects.length + 1);
    expect(svg).toContain(`d="M0 0h1v1h-1zM4 0h1v${height}h-1z" transform="scale(10)"`);
    expect(svg.lastIndexOf("<path ")).toBeLessThan(svg.lastIndexOf('fill="none"'));
    const boxes = await detectionsSvg(set, [{ imageId: 1, category: 0, box, score: 0.9 }], { images: [first!] });
    expect(count(boxes, "<path ")).toBe(0);
    expect(count(await detectionsSvg(set, [], { images: [first!], masks: true }), "<path ")).toBe(
      first!.objects.length,
    );
  });

  it("draws a mask that goes on from column to column whole", () => {
    const square = encodeMask(new Uint8Array(6).fill(1), 3, 2);
    expect(maskPath(square)).toBe("M0 0h1v3h-1zM1 0h1v3h-1z");
    expect(maskPath(encodeMask(new Uint8Array(6), 3, 2))).toBe("");
  });

  it("dashes the regions of crowds, and draws what is surest last", async () => {
    const crowd = { ...first!, objects: first!.objects.map((object) => ({ ...object, crowd: true })) };
    const found = [0.9, 0.6, 0.7].map((score) => ({ imageId: 1, category: 1, box: [1, 1, 9, 9] as const, score }));
    const svg = await detectionsSvg(set, found, { images: [crowd] });
    expect(count(svg, "stroke-dasharray")).toBe(crowd.objects.length);
    expect([...svg.matchAll(/odd (\d+) %/g)].map(([, percent]) => percent)).toEqual(["60", "70", "90"]);
  });

  it("draws no box over a label", async () => {
    const [, two] = set.images;
    const svg = await detectionsSvg(set, [], { images: [two!] });
    expect(two!.objects).toHaveLength(2);
    expect(svg.lastIndexOf('fill="none"')).toBeLessThan(svg.indexOf('height="13"'));
  });

  it.each([
    ["wide", { width: 32, height: 20 }],
    ["narrower than its labels", { width: 4, height: 40 }],
  ])("keeps labels inside the panel of an image that is %s", async (_, { width, height }) => {
    const image = { ...first!, width, height, objects: [] };
    const at = (box: readonly [number, number, number, number]) => ({ imageId: image.id, category: 0, box, score: 1 });
    const svg = await detectionsSvg(set, [at([width - 3, 0, width, 4]), at([0, height - 2, 3, height])], {
      images: [image],
    });
    const scale = 320 / Math.max(width, height);
    const labels = [...svg.matchAll(/<rect x="([-\d.]+)" y="([-\d.]+)" width="([\d.]+)" height="13"/g)];
    expect(labels).toHaveLength(2);
    for (const [x, y, w] of labels.map((label) => label.slice(1).map(Number) as [number, number, number])) {
      expect(x).toBeGreaterThanOrEqual(0);
      expect(y).toBeGreaterThanOrEqual(0);
      expect(w).toBeGreaterThan(16 * 5); // "cats & dogs 100 %" whole
      expect(x + w).toBeLessThanOrEqual(Math.max(width * scale, w) + 0.1);
      expect(x + w).toBeLessThanOrEqual(320);
      expect(y + 13).toBeLessThanOrEqual(height * scale + 0.1);
    }
  });

  it("enlarges small images pixel by pixel, and shrinks large ones smoothly to twice what is shown", async () => {
    const small = await detectionsSvg(set, [], { images: [first!] });
    expect(small).toContain("image-rendering:pixelated");
    expect(await embedded(small)).toEqual({ width: first!.width, height: first!.height });
    const large = await detectionsSvg(set, [], { images: [{ ...first!, width: 1280, height: 960 }] });
    expect(large).not.toContain("pixelated");
    expect(await embedded(large)).toEqual({ width: 640, height: 480 });
  });

  it("holds the image's own pixels", async () => {
    const svg = await detectionsSvg(set, [], { images: [first!] });
    const pixels = await sharp(pngOf(svg)).raw().toBuffer();
    expect([...pixels]).toEqual([...(await set.readPixels(first!))]);
  });

  it("is an image that others can read", async () => {
    const found = [{ imageId: 1, category: 0, box: [1, 1, 9, 9] as const, score: 1 }];
    const drawn = await sharp(Buffer.from(await detectionsSvg(set, found, { images: [first!] }))).metadata();
    expect(drawn).toMatchObject({ format: "svg", width: 652 });
  });

  it("refuses an image that the set does not have", async () => {
    const image = { ...first!, id: 99 };
    const scenes = await composeScenes({ part: "test", size: 32, count: 1 });
    await expect(detectionsSvg(scenes, [], { images: [image] })).rejects.toThrow(InputError);
  });
});

describe("showDetections", () => {
  it("prints what is shown outside a notebook: by default the first four images", async () => {
    const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
    await showDetections(tinySet(5), []);
    expect(log.mock.calls).toEqual([["tiny, images 1, 2, 3, 4: 6 annotated objects"]]);
    log.mockRestore();
  });
});

function pngOf(svg: string): Buffer {
  return Buffer.from(/base64,([^"]+)"/.exec(svg)![1]!, "base64");
}

async function embedded(svg: string) {
  const { width, height } = await sharp(pngOf(svg)).metadata();
  return { width, height };
}
