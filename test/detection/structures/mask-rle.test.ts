import { describe, expect, it } from "vitest";
import { randomStream } from "../../../src/engine/random";
import {
  decodeMask,
  decodeWithin,
  encodeMask,
  encodeWithin,
  maskArea,
  maskBox,
  sharedPixels,
  uniteMasks,
} from "../../../src/detection/structures/mask-rle";
import { compressCounts, parseCounts } from "../../../src/detection/structures/mask-string";
import { fillPolygon, rleOf } from "../../../src/detection/structures/polygon-mask";
import { reference } from "../reference";

/** A bitmap of [height, width] with a few filled rectangles and some noise. */
function randomBitmap(random: ReturnType<typeof randomStream>, height: number, width: number): number[] {
  if (height * width === 0) return [];
  const bitmap = new Array<number>(height * width).fill(0);
  for (let rectangle = random.integer(3); rectangle > 0; rectangle--) {
    const [top, left] = [random.integer(height), random.integer(width)];
    const [bottom, right] = [top + random.integer(height), left + random.integer(width)];
    for (let y = top; y < Math.min(bottom + 1, height); y++) {
      for (let x = left; x < Math.min(right + 1, width); x++) bitmap[y * width + x] = 1;
    }
  }
  const noise = random.integer(4) === 0 ? 0.2 : 0;
  return bitmap.map((value) => (random.uniform() < noise ? 1 - value : value));
}

describe("masks as run lengths", () => {
  it("are those of pycocotools for 500 random pairs of bitmaps", () => {
    const cases = Array.from({ length: 500 }, (_, index) => {
      const random = randomStream(0, "bitmaps", index);
      const size: [number, number] = [1 + random.integer(24), 1 + random.integer(24)];
      return { size, bitmaps: [randomBitmap(random, ...size), randomBitmap(random, ...size)] as const };
    });
    const ours = cases.map(({ size, bitmaps }) => {
      const first = encodeMask(bitmaps[0], ...size);
      const second = encodeMask(bitmaps[1], ...size);
      expect([...decodeMask(first)]).toEqual(bitmaps[0]);
      const shared = sharedPixels(first, second);
      const joined = maskArea(first) + maskArea(second) - shared;
      return {
        counts: compressCounts(first.counts),
        area: maskArea(first),
        box: maskBox(first),
        union: compressCounts(uniteMasks([first, second]).counts),
        iou: shared === 0 ? 0 : shared / joined,
        iouWithCrowd: shared === 0 ? 0 : shared / maskArea(first),
      };
    });
    expect(ours).toEqual(reference("masks", cases));
  });

  it("of polygons are those of pycocotools bit for bit, also over the border, crossing themselves, or of several parts", () => {
    const cases = Array.from({ length: 1000 }, (_, index) => {
      const random = randomStream(0, "polygons", index);
      const size: [number, number] = [1 + random.integer(60), 1 + random.integer(60)];
      // Whole numbers, halves, hundredths as in COCO's files, or any.
      const grid = [1, 2, 100, 0][index % 4]!;
      const coordinate = (side: number): number => {
        const value = random.uniform(-0.2 * side, 1.2 * side);
        return grid === 0 ? value : Math.round(value * grid) / grid;
      };
      const polygons = Array.from({ length: 1 + random.integer(3) }, () => {
        const corners = Array.from({ length: 3 + random.integer(12) }, () => [
          coordinate(size[1]),
          coordinate(size[0]),
        ]);
        // Some close by repeating the first corner, as many files do.
        return (random.integer(3) === 0 ? [...corners, corners[0]!] : corners).flat();
      });
      return { size, polygons };
    });
    const ours = cases.map(({ size, polygons }) => {
      const rle = rleOf(polygons, ...size);
      return { counts: compressCounts(rle.counts), area: maskArea(rle) };
    });
    expect(ours).toEqual(reference("masks", cases));
  });

  it("of a polygon along pixel borders cover those pixels", () => {
    const rle = fillPolygon([1, 1, 4, 1, 4, 3, 1, 3], 5, 6);
    expect(maskBox(rle)).toEqual([1, 1, 4, 3]);
    expect(maskArea(rle)).toBe(6);
  });

  it("of no polygons are empty", () => {
    const rle = rleOf([], 4, 5);
    expect(maskArea(rle)).toBe(0);
    expect(maskBox(rle)).toEqual([0, 0, 0, 0]);
  });

  it("of a part are those of the whole image with zeros around it, and come back", () => {
    for (let index = 0; index < 500; index++) {
      const random = randomStream(1, "parts", index);
      const [height, width] = [1 + random.integer(12), 1 + random.integer(12)];
      const [left, top] = [random.integer(width), random.integer(height)];
      // Some parts are as high as the image, where runs go on from column to column, and some are empty.
      const first = random.integer(3) === 0 ? 0 : top;
      const last = random.integer(3) === 0 ? height : first + random.integer(height - first + 1);
      const right = left + random.integer(width - left + 1);
      const part = randomBitmap(random, last - first, right - left);
      const whole = new Uint8Array(height * width);
      part.forEach((value, at) => {
        whole[(first + Math.floor(at / (right - left))) * width + left + (at % (right - left))] = value;
      });
      const rle = encodeWithin(part, [left, first, right, last], [height, width]);
      expect(rle).toEqual(encodeMask(whole, height, width));
      expect([...decodeMask(rle)]).toEqual([...whole]);
      expect([...decodeWithin(rle, [left, first, right, last])]).toEqual(part);
    }
  });

  it("refuse a bitmap of another size and masks of two sizes", () => {
    expect(() => encodeMask([1, 0], 2, 2)).toThrow("must have 2 x 2 values, current count is 2");
    const one = encodeMask([1], 1, 1);
    expect(() => uniteMasks([one, encodeMask([1, 1], 1, 2)])).toThrow("current are 1 x 1 and 1 x 2");
  });
});

describe("compressed counts", () => {
  it("come back as they were, for counts up to 32 bits", () => {
    const random = randomStream(0, "counts");
    for (let round = 0; round < 200; round++) {
      const counts = Uint32Array.from({ length: 1 + random.integer(9) }, () => random.integer(2 ** random.integer(33)));
      expect([...parseCounts(compressCounts(counts))]).toEqual([...counts]);
    }
  });

  it("are refused when damaged", () => {
    expect(() => parseCounts("ab c")).toThrow('characters must lie from "0" to "o", current one at 2 is " "');
    expect(() => parseCounts("0P")).toThrow("it is cut off");
    expect(() => parseCounts("O")).toThrow("a count must lie from 0 to 4294967295, current count 0 is -1");
  });
});
