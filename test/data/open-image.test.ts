import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateSync } from "node:zlib";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openImage } from "../../src/data/open-image";
import fixture from "./fixtures/image-files.json";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "moco-images-"));
  for (const [name, { file }] of Object.entries(fixture.files)) {
    writeFileSync(join(folder, name), Buffer.from(file, "base64"));
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

const read = async (name: string, turned: boolean) =>
  (await openImage(join(folder, name), { turned })).raw().toBuffer();

describe("openImage", () => {
  it.each(Object.entries(fixture.files))(
    'reads %s as PIL\'s convert("RGB"), bit for bit: no profile is applied',
    async (name, { rgb }) => {
      expect(await read(name, false)).toEqual(Buffer.from(rgb, "base64"));
    },
  );

  it("turns an image as its EXIF data say, when asked", async () => {
    const { side } = fixture;
    const stored = Buffer.from(fixture.files["turned.jpg"].rgb, "base64");
    const turned = await read("turned.jpg", true);
    // Orientation 6: the stored image is shown turned by 90 degrees clockwise.
    for (let row = 0; row < side; row++) {
      for (let column = 0; column < side; column++) {
        const from = ((side - 1 - column) * side + row) * 3;
        const to = (row * side + column) * 3;
        expect([...turned.subarray(to, to + 3)]).toEqual([...stored.subarray(from, from + 3)]);
      }
    }
  });

  it("refuses an image of 30,000 x 30,000 pixels by its header, before it is decoded", async () => {
    const chunk = (type: string, data: Buffer) => {
      const [length, sum, named] = [Buffer.alloc(4), Buffer.alloc(4), Buffer.concat([Buffer.from(type), data])];
      length.writeUInt32BE(data.length);
      sum.writeUInt32BE(crc32(named));
      return Buffer.concat([length, named, sum]);
    };
    const header = Buffer.from([0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30, 8, 2, 0, 0, 0]); // 8 bits, RGB
    const parts = [
      chunk("IHDR", header),
      chunk("IDAT", deflateSync(Buffer.alloc(1000))),
      chunk("IEND", Buffer.alloc(0)),
    ];
    writeFileSync(join(folder, "huge.png"), Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), ...parts]));
    const before = process.memoryUsage().rss;
    await expect(read("huge.png", true)).rejects.toThrow("exceeds pixel limit");
    expect(process.memoryUsage().rss - before).toBeLessThan(2e8);
  });

  it("takes the upper 8 bits of gray images of 16", async () => {
    const values = Uint16Array.of(0, 255, 256, 4095, 32_768, 65_535);
    await sharp(values, { raw: { width: values.length, height: 1, channels: 1 } })
      .toColorspace("grey16")
      .toFile(join(folder, "gray.png"));
    const read = await (await openImage(join(folder, "gray.png"), { turned: false })).raw().toBuffer();
    expect(read.filter((_, at) => at % 3 === 0)).toEqual(Buffer.of(0, 0, 1, 15, 128, 255));
  });

  it("takes the first image of an animation and of several pages", async () => {
    const page = (red: number) => Buffer.alloc(4 * 3 * 3, Buffer.from([red, 0, 0]));
    const pages = Buffer.concat([page(255), page(0), page(100)]);
    for (const format of ["gif", "webp", "tiff"] as const) {
      const file = join(folder, `pages.${format}`);
      const stacked = sharp(pages, { raw: { width: 4, height: 9, channels: 3, pageHeight: 3 } });
      await stacked.toFormat(format, format === "webp" ? { lossless: true } : {}).toFile(file);
      expect((await sharp(file).metadata()).pages, format).toBe(3);
      const { data, info } = await (
        await openImage(file, { turned: false })
      )
        .removeAlpha()
        .raw()
        .toBuffer({ resolveWithObject: true });
      expect([info.width, info.height], format).toEqual([4, 3]);
      expect(data[0], format).toBeGreaterThan(200);
    }
  });

  it("gives no image for what is none", async () => {
    writeFileSync(join(folder, "none.png"), "none");
    await expect(openImage(join(folder, "none.png"), { turned: false })).rejects.toThrow();
  });
});
