import { describe, expect, it } from "vitest";
import sharp from "sharp";
import { detectionsSvg } from "../../src/notebook/detections";
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

  it("keeps labels inside the picture and is a picture that others can read", async () => {
    const at = (box: readonly [number, number, number, number]) => ({ imageId: first!.id, category: 0, box, score: 1 });
    const { width, height } = first!;
    const svg = await detectionsSvg(set, [at([width - 3, 0, width, 4]), at([0, height - 2, 5, height])], {
      images: [first!],
    });
    const scale = 320 / Math.max(width, height);
    for (const [, x, y, w] of svg.matchAll(/<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="13"/g)) {
      expect(Number(x) + Number(w)).toBeLessThanOrEqual(width * scale + 0.1);
      expect(Number(y) + 13).toBeLessThanOrEqual(height * scale + 0.1);
    }
    const drawn = await sharp(Buffer.from(svg)).metadata();
    expect(drawn.width).toBeGreaterThan(600);
  });
});
