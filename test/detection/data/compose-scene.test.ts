import { describe, expect, it } from "vitest";
import { cutoutSize, type Cutout } from "../../../src/data/emoji-cutouts";
import { composeScene, leastVisible, maximumObjects, type Scene } from "../../../src/detection/data/compose-scene";
import { decodeMask } from "../../../src/detection/structures/mask-rle";
import { paintBackground } from "../../../src/detection/data/scene-background";
import { randomStream } from "../../../src/engine/random";

type Color = readonly [number, number, number];
const size = 64;

/** A drawing of `width` x `height` pixels, its left and right half of one color each. */
function twoColored(id: string, left: Color, right: Color, alpha = 255, width = 40, height = 30): Cutout {
  const pixels = new Uint8Array(cutoutSize * cutoutSize * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      pixels.set([...(x < width / 2 ? left : right), alpha], ((20 + y) * cutoutSize + 10 + x) * 4);
    }
  }
  return { id, label: Number(id), pixels, left: 10, top: 20, width, height };
}

function colorOf(id: string): Color {
  const index = Number(id);
  return [10 + 8 * index, 250 - 8 * index, (index * 97) % 256];
}

/** Thirty classes of one drawing each, rectangles of one color: what is seen of them can be read off the pixels. */
const rectangles = Array.from({ length: 30 }, (_, index) => {
  const color = colorOf(String(index));
  return [twoColored(String(index), color, color)];
});

function scenes(byClass: readonly (readonly Cutout[])[], count: number): readonly Scene[] {
  return Array.from({ length: count }, (_, index) => composeScene(byClass, size, randomStream(1, "scene", index)));
}

function pixelAt(pixels: ArrayLike<number>, place: number): Color {
  return [pixels[3 * place]!, pixels[3 * place + 1]!, pixels[3 * place + 2]!];
}

describe("composeScene", () => {
  it("gives every pixel to the foremost object there, and the others to the background", () => {
    scenes(rectangles, 60).forEach(({ pixels, objects }, index) => {
      const background = paintBackground(size, randomStream(1, "scene", index));
      const expected = new Uint8Array(background);
      const owned = new Uint8Array(size * size);
      for (const { mask, drawing } of objects) {
        decodeMask(mask).forEach((inside, place) => {
          if (!inside) return;
          owned[place]!++;
          expected.set(colorOf(drawing), 3 * place);
        });
      }
      expect(Math.max(...owned)).toBe(1);
      expect(Buffer.from(pixels).equals(expected)).toBe(true);
    });
  });

  it("gives boxes that the mask touches on all four sides, and the mask's area", () => {
    for (const { objects } of scenes(rectangles, 60)) {
      for (const { box, mask, area } of objects) {
        const [columns, rows]: [number[], number[]] = [[], []];
        decodeMask(mask).forEach((inside, place) => {
          if (!inside) return;
          columns.push(place % size);
          rows.push(Math.floor(place / size));
        });
        expect(area).toBe(columns.length);
        expect(box).toEqual([Math.min(...columns), Math.min(...rows), Math.max(...columns) + 1, Math.max(...rows) + 1]);
      }
    }
  });

  it("leaves a quarter of each object visible, and says how much", () => {
    const objects = scenes(rectangles, 200).flatMap((scene) => scene.objects);
    const shares = objects.map(({ visible }) => visible);
    expect(Math.min(...shares)).toBeGreaterThanOrEqual(leastVisible);
    expect(Math.min(...shares)).toBeLessThan(0.35);
    expect(shares.filter((share) => share < 1).length).toBeGreaterThan(objects.length / 4);
    for (const { area, visible, box } of objects) {
      // All drawings are 40 x 30: there is a length at which the whole one has this area and holds the box.
      const whole = Math.round(area / visible);
      expect(area / visible).toBeCloseTo(whole, 6);
      const lengths = Array.from({ length: size / 2 + 1 }, (_, length) => length);
      expect(
        lengths.some(
          (width) =>
            Math.abs(whole / width - 0.75 * width) <= 1 &&
            whole % width === 0 &&
            box[2] - box[0] <= width &&
            box[3] - box[1] <= whole / width,
        ),
      ).toBe(true);
    }
  });

  it("draws 1 to 8 objects evenly, of 15 to 50 % of the image's side, all over the image", () => {
    const drawn = scenes(rectangles, 800);
    const counts = Array.from(
      { length: maximumObjects + 1 },
      (_, count) => drawn.filter(({ objects }) => objects.length === count).length,
    );
    expect(counts[0]).toBe(0);
    // 100 each is expected; four standard deviations.
    for (const count of counts.slice(1))
      expect(Math.abs(count - 100)).toBeLessThan(4 * Math.sqrt(800 * (1 / 8) * (7 / 8)));
    const foremost = drawn.map(({ objects }) => objects.at(-1)!.box);
    const widths = foremost.map(([x1, , x2]) => x2 - x1);
    expect(Math.min(...widths)).toBe(Math.round(0.15 * size));
    expect(Math.max(...widths)).toBe(0.5 * size);
    expect(Math.min(...foremost.map(([x1]) => x1))).toBe(0);
    expect(Math.max(...foremost.map(([, , x2]) => x2))).toBe(size);
    expect(Math.min(...foremost.map(([, y1]) => y1))).toBe(0);
    expect(Math.max(...foremost.map(([, , , y2]) => y2))).toBe(size);
    for (const [x1, y1, x2, y2] of foremost) expect(Math.abs(y2 - y1 - (x2 - x1) * 0.75)).toBeLessThanOrEqual(1);
  });

  it("mirrors half of the objects", () => {
    const [red, blue] = [
      [255, 0, 0],
      [0, 0, 255],
    ] as const;
    const firstColumns = scenes([[twoColored("0", red, blue)]], 400).map(({ pixels, objects }) => {
      const [x1, y1] = objects.at(-1)!.box;
      return pixelAt(pixels, y1 * size + x1)[0];
    });
    const upright = firstColumns.filter((value) => value === 255).length;
    expect(upright + firstColumns.filter((value) => value === 0).length).toBe(400);
    expect(Math.abs(upright - 200)).toBeLessThan(4 * 10);
  });

  it("lets the background through where a drawing is half transparent", () => {
    const gray = [200, 200, 200] as const;
    const drawn = scenes([[twoColored("0", gray, gray, 153)]], 40);
    drawn.forEach(({ pixels, objects }, index) => {
      if (objects.length !== 1) return;
      const background = paintBackground(size, randomStream(1, "scene", index));
      decodeMask(objects[0]!.mask).forEach((inside, place) => {
        pixelAt(pixels, place).forEach((value, channel) => {
          const behind = background[3 * place + channel]!;
          const expected = inside ? 0.6 * 200 + 0.4 * behind : behind;
          expect(Math.abs(value - expected)).toBeLessThanOrEqual(0.5001);
        });
      });
    });
    expect(drawn.filter(({ objects }) => objects.length === 1).length).toBeGreaterThan(0);
  });

  it("shows nothing that has no label: a drawing of which no pixel is filled by half is left out", () => {
    const [{ pixels, objects }] = scenes([[twoColored("0", [0, 0, 0], [0, 0, 0], 100)]], 1) as [Scene];
    expect(objects).toEqual([]);
    expect(pixels).toEqual(new Uint8Array(paintBackground(size, randomStream(1, "scene", 0))));
  });

  it("leaves out what would be one pixel wide or high: readers of VOC files take it for an object without area", () => {
    const black = [0, 0, 0] as const;
    expect(scenes([[twoColored("0", black, black, 255, 40, 1)]], 1)[0]!.objects).toEqual([]);
    expect(scenes([[twoColored("0", black, black, 255, 1, 40)]], 1)[0]!.objects).toEqual([]);
  });
});
