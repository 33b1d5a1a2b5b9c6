import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { drawView } from "../../src/data/augmentation-parameters";
import { mocoV1, mocoV2 } from "../../src/data/augmentation-policy";
import { drawViews, imageTensor } from "../../src/data/batches";
import { loadImageFolder } from "../../src/data/image-folder";
import type { FileSet, ImageData } from "../../src/data/image-set";
import { unnormalized, ViewMaker } from "../../src/data/make-view";
import { decodeImage } from "../../src/data/open-image";
import { randomStream } from "../../src/engine/random";
import { tf } from "../../src/engine/tf";

let root: string;
let data: ImageData<FileSet>;

/** A photograph of noise, of sides that depend on its number. */
async function write(path: string, number: number): Promise<void> {
  const [width, height] = [40 + 7 * (number % 5), 36 + 11 * (number % 3)];
  const random = randomStream(number, "test", "photographs");
  const pixels = Buffer.from(Array.from({ length: width * height * 3 }, () => random.integer(256)));
  mkdirSync(dirname(join(root, path)), { recursive: true });
  await sharp(pixels, { raw: { width, height, channels: 3 } })
    .jpeg()
    .toFile(join(root, path));
}

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "file-batches-"));
  for (let number = 0; number < 12; number++) await write(`train/only/${number}.jpg`, number);
  data = await loadImageFolder(root, { size: 16 });
});
afterAll(() => rmSync(root, { recursive: true }));

const values = (tensors: readonly tf.Tensor[]) =>
  tensors.map((tensor) => {
    const read = Float32Array.from(tensor.dataSync());
    tensor.dispose();
    return read;
  });

function draw(indices: readonly number[], step: number, views = [{}, {}]) {
  const drawn = drawViews(data, Int32Array.from(indices), { policy: mocoV2, seed: 3, step, views });
  const made = values(drawn.all());
  drawn.release();
  return made;
}

describe("views of images in files", () => {
  it("are crops of the whole image, drawn by seed, step and place in the batch", async () => {
    const [query, key] = draw([5, 2], 7);
    const maker = new ViewMaker();
    for (const [place, index] of [5, 2].entries()) {
      const image = await decodeImage(join(root, data.train.ids[index]!));
      const random = randomStream(3, "augment", 7, place);
      maker.open(image);
      for (const view of [query!, key!]) {
        const expected = new Float32Array(3 * 16 * 16);
        maker.view(drawView(mocoV2, image, random), 16, data, expected);
        expect(view.subarray(place * expected.length, (place + 1) * expected.length)).toEqual(expected);
      }
    }
  });

  it("are the same whatever was drawn before, and others at the next step", () => {
    const all = Array.from({ length: 12 }, (_, index) => index);
    const first = draw(all, 4);
    draw([1, 2, 3], 5);
    expect(draw(all, 4)).toEqual(first);
    expect(draw(all, 5)).not.toEqual(first);
  });

  it("come one at a time as they come together, in any order", () => {
    const drawn = drawViews(data, Int32Array.of(4, 9, 0), { policy: mocoV1, seed: 1, step: 2 });
    const [, key] = values(drawn.all());
    const [some] = values([drawn.one(1, Int32Array.of(2, 0))]);
    const length = 3 * 16 * 16;
    expect([some!.subarray(0, length), some!.subarray(length)]).toEqual([
      key!.subarray(2 * length),
      key!.subarray(0, length),
    ]);
    drawn.release();
  });

  it("have the sizes that a method asks for", () => {
    const [large, small] = draw([0, 1], 0, [{}, { size: 8 }] as object[]);
    expect([large!.length, small!.length]).toEqual([2 * 3 * 16 * 16, 2 * 3 * 8 * 8]);
  });

  it("are made while this thread does other things, and several batches at a time", () => {
    const batches = [0, 1, 2].map((step) =>
      drawViews(data, Int32Array.of(step, 3, 4), { policy: mocoV2, seed: 3, step }),
    );
    const made = batches.reverse().map((drawn) => values(drawn.all()));
    expect(made).toEqual([2, 1, 0].map((step) => draw([step, 3, 4], step)));
    batches.forEach((drawn) => drawn.release());
  });

  it("leave no tensors behind", () => {
    draw([0, 1, 2], 0);
    const { numTensors } = tf.memory();
    for (let step = 0; step < 20; step++) draw([0, 1, 2], step);
    expect(tf.memory().numTensors).toBe(numTensors);
  });

  it.runIf(process.env["MOCO_TEST_LONG"])("take no more memory after thousands of batches", () => {
    const rest = (steps: number) => {
      for (let step = 0; step < steps; step++) draw([0, 1, 2, 3, 4, 5, 6, 7], step);
      return process.memoryUsage().rss;
    };
    const before = rest(1000);
    expect(rest(5000) - before).toBeLessThan(30 * 2 ** 20);
  });
});

describe("images in files", () => {
  it("are seen by evaluation at 256 / 224 of the size, the center cut out", async () => {
    const [images] = values([imageTensor(data.train, Int32Array.of(7, 1))]);
    const maker = new ViewMaker();
    const expected = new Float32Array(3 * 16 * 16);
    for (const [place, index] of [7, 1].entries()) {
      maker.open(await decodeImage(join(root, data.train.ids[index]!)));
      maker.evaluationView(16, unnormalized, expected);
      expect(images!.subarray(place * expected.length, (place + 1) * expected.length)).toEqual(expected);
    }
  });

  it("are refused by name when they have changed or gone since the set was loaded", async () => {
    for (let number = 0; number < 3; number++) await write(`other/${number}.jpg`, number);
    const other = await loadImageFolder(join(root, "other"), { size: 16 });
    writeFileSync(join(root, "other/0.jpg"), "shorter");
    utimesSync(join(root, "other/1.jpg"), 1, 1);
    rmSync(join(root, "other/2.jpg"));
    // What was decoded before is kept, so the set is loaded by another name.
    expect(() =>
      imageTensor(
        { ...other.train, files: { ...other.train.files, modified: new Float64Array(3) } },
        Int32Array.of(0, 1, 2),
      ),
    ).toThrow(
      /Cannot read images of other\/train: .* there are 3:\n0.jpg: changed since .*\n1.jpg: changed since .*\n2.jpg: ENOENT.*\nThese are of one batch; all of the set are listed by: moco data verify "folder:.*other"$/,
    );
    expect(imageTensor(data.train, Int32Array.of(0)).shape).toEqual([1, 16, 16, 3]);
  });
});
