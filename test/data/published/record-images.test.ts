import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeCifar100Folders, makeStl10Folders } from "../../../src/data/published/record-images";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "moco-records-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** An image whose channels are row, column, and a number of its own. */
const value = (channel: number, row: number, column: number, own: number): number => [row, column, own][channel]!;

async function expectImage(path: string, side: number, own: number): Promise<void> {
  const pixels = await sharp(join(folder, path)).raw().toBuffer();
  expect(pixels).toHaveLength(side * side * 3);
  const all = pixels.every((byte, at) => {
    const pixel = Math.floor(at / 3);
    return byte === value(at % 3, Math.floor(pixel / side), pixel % side, own);
  });
  expect(all, path).toBe(true);
}

describe("makeCifar100Folders", () => {
  it("writes each record by its fine class: coarse label, fine label, planes by rows", async () => {
    const binary = join(folder, "cifar-100-binary");
    mkdirSync(binary);
    writeFileSync(join(binary, "fine_label_names.txt"), "apple\naquarium_fish\n\n");
    const record = (fine: number, own: number): number[] => [
      1 - fine,
      fine,
      ...Array.from({ length: 3072 }, (_, at) =>
        value(Math.floor(at / 1024), Math.floor((at % 1024) / 32), at % 32, own),
      ),
    ];
    const many = Array.from({ length: 70 }, (_, index) => record(index % 2, index)).flat();
    writeFileSync(join(binary, "train.bin"), Uint8Array.from(many));
    writeFileSync(join(binary, "test.bin"), Uint8Array.from(record(1, 200)));
    await makeCifar100Folders(folder);
    expect(readdirSync(join(folder, "cifar100/train/apple"))).toHaveLength(35);
    await expectImage("cifar100/train/aquarium_fish/000069.png", 32, 69);
    await expectImage("cifar100/test/aquarium_fish/000000.png", 32, 200);
    writeFileSync(join(binary, "test.bin"), Uint8Array.from(record(2, 0)));
    await expect(makeCifar100Folders(folder)).rejects.toThrow("they must be below 2, current value is 2");
    writeFileSync(join(binary, "train.bin"), "short");
    await expect(makeCifar100Folders(folder)).rejects.toThrow(
      "must be made of records of 3074 bytes, current size is 5",
    );
  });
});

describe("makeStl10Folders", () => {
  it("writes images by their labels, which count from 1, planes by columns; and those without labels", async () => {
    const binary = join(folder, "stl10_binary");
    mkdirSync(binary);
    writeFileSync(join(binary, "class_names.txt"), "airplane\nbird\n");
    const planes = (own: number): number[] =>
      Array.from({ length: 3 * 9216 }, (_, at) => {
        const inPlane = at % 9216;
        return value(Math.floor(at / 9216), inPlane % 96, Math.floor(inPlane / 96), own);
      });
    for (const [part, count] of [
      ["train", 2],
      ["test", 1],
      ["unlabeled", 1],
    ] as const) {
      const images = Array.from({ length: count }, (_, index) => planes(index + 5)).flat();
      writeFileSync(join(binary, `${part}_X.bin`), Uint8Array.from(images));
    }
    writeFileSync(join(binary, "train_y.bin"), Uint8Array.of(2, 1));
    writeFileSync(join(binary, "test_y.bin"), Uint8Array.of(2));
    await makeStl10Folders(folder);
    await expectImage("stl10/train/bird/000000.png", 96, 5);
    await expectImage("stl10/train/airplane/000001.png", 96, 6);
    await expectImage("stl10/test/bird/000000.png", 96, 5);
    await expectImage("stl10/unlabeled/000000.png", 96, 5);
  });
});
