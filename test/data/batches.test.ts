import { describe, expect, it } from "vitest";
import { mocoV1, mocoV2 } from "../../src/data/augmentation-policy";
import { batchesPerEpoch, batchIndices, drawViews, imageTensor } from "../../src/data/batches";
import { tf } from "../../src/engine/tf";
import { relativeError } from "../engine/double-precision";
import { tinyData } from "../train/tiny";

const data = tinyData(); // 26 images to train on

describe("batches", () => {
  it("are whole: the rest of the images is dropped", () => {
    expect(batchesPerEpoch(data.train, 8)).toBe(3);
    expect(batchesPerEpoch(data.train, 26)).toBe(1);
    expect(batchesPerEpoch(data.train, 27)).toBe(0);
  });

  it("show an image at most once in an epoch, and others in the next", () => {
    const epoch = (number: number) =>
      [0, 1, 2].flatMap((batch) => [...batchIndices(data.train, 8, 1, 3 * number + batch)]);
    const orders = [epoch(0), epoch(1), epoch(2)];
    for (const order of orders) {
      expect(new Set(order).size).toBe(24);
      order.forEach((index) => expect(index >= 0 && index < 26).toBe(true));
    }
    expect(orders[1]).not.toEqual(orders[0]);
    // Another two are dropped each time.
    expect(new Set(orders.flat()).size).toBe(26);
  });

  it("are a function of seed and step", () => {
    expect(batchIndices(data.train, 8, 1, 4)).toEqual(batchIndices(data.train, 8, 1, 4));
    expect(batchIndices(data.train, 8, 2, 4)).not.toEqual(batchIndices(data.train, 8, 1, 4));
  });
});

describe("imageTensor", () => {
  it("holds the images asked for, in 0 to 1", () => {
    const images = imageTensor(data.train, Int32Array.of(3, 0));
    expect(images.shape).toEqual([2, 8, 8, 3]);
    const length = 8 * 8 * 3;
    const pixels = [...data.train.pixels.subarray(3 * length, 4 * length), ...data.train.pixels.subarray(0, length)];
    expect(
      relativeError(
        images.dataSync(),
        pixels.map((value) => value / 255),
      ),
    ).toBeLessThan(1e-7);
    images.dispose();
  });
});

describe("drawViews", () => {
  const indices = Int32Array.of(0, 1, 2, 3);
  const draw = (seed: number, step: number) => {
    const [query, key] = drawViews(data, indices, { policy: mocoV2, seed, step }).all() as [tf.Tensor4D, tf.Tensor4D];
    const values = [query.dataSync(), key.dataSync()] as const;
    tf.dispose([query, key]);
    return values;
  };

  it("gives two different views, a function of seed and step", () => {
    const [query, key] = draw(1, 0);
    expect(query).toHaveLength(4 * 8 * 8 * 3);
    expect(key).not.toEqual(query);
    expect(draw(1, 0)).toEqual([query, key]);
    expect(draw(1, 1)[0]).not.toEqual(query);
    expect(draw(2, 0)[0]).not.toEqual(query);
  });

  it("changes nothing but the scale when the policy does nothing", () => {
    const nothing = {
      ...mocoV2,
      crop: { scale: [1, 1], ratio: [1, 1] },
      flip: { probability: 0 },
      jitter: { ...mocoV2.jitter, probability: 0 },
      grayscale: { ...mocoV2.grayscale, probability: 0 },
      blur: undefined,
    } as const;
    tf.tidy(() => {
      const [query, key] = drawViews(data, indices, { policy: nothing, seed: 1, step: 0 }).all() as [
        tf.Tensor4D,
        tf.Tensor4D,
      ];
      const expected = imageTensor(data.train, indices).sub(0.5).div(0.3).dataSync();
      expect(relativeError(query.dataSync(), expected)).toBeLessThan(1e-5);
      expect(relativeError(key.dataSync(), expected)).toBeLessThan(1e-5);
    });
  });

  it("gives any number of views of any size and policy, together or one by one the same", () => {
    const views = [{}, {}, { size: 4 }, { policy: mocoV1, size: 4 }, { size: 4 }];
    tf.tidy(() => {
      const drawn = drawViews(data, indices, { policy: mocoV2, seed: 1, step: 0, views });
      const all = drawn.all();
      expect(all.map(({ shape }) => shape)).toEqual([8, 8, 4, 4, 4].map((size) => [4, size, size, 3]));
      all.forEach((view, which) => {
        expect(relativeError(drawn.one(which).dataSync(), view.dataSync())).toBeLessThan(1e-6);
      });
      // The first two are those of a method that asks for no more.
      const pair = drawViews(data, indices, { policy: mocoV2, seed: 1, step: 0 }).all();
      pair.forEach((view, which) => expect(view.dataSync()).toEqual(all[which]!.dataSync()));
      const [third, fifth] = [all[2]!.dataSync(), all[4]!.dataSync()];
      expect(third).not.toEqual(fifth);
    });
  });

  it("leaves no tensor but the views", () => {
    const before = tf.memory().numTensors;
    draw(1, 0);
    expect(tf.memory().numTensors).toBe(before);
  });
});
