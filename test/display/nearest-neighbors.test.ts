import { expect, it } from "vitest";
import { nearestSheet } from "../../src/display/nearest-neighbors";
import { tf } from "../../src/engine/tf";
import { pixelFeatures } from "../../src/evaluate/extract";
import { tinyData } from "../train/tiny";

it("puts an image beside its nearest: of the same set, first itself", () => {
  const { train } = tinyData(); // 26 images of 8 px
  const encoded = { set: train, features: pixelFeatures(train) };
  const before = tf.memory().numTensors;
  const sheet = nearestSheet(encoded, encoded);
  expect(sheet.shape).toEqual([5 * 7, 8, 8, 3]);
  const pixels = sheet.dataSync();
  const length = 8 * 8 * 3;
  const image = (place: number): number[] => [...pixels.subarray(place * length, (place + 1) * length)];
  [0, 5, 10, 15, 20].forEach((query, row) => {
    const own = [...train.pixels.subarray(query * length, (query + 1) * length)];
    expect(image(7 * row).map((value) => Math.round(255 * value))).toEqual(own);
    expect(image(7 * row + 1)).toEqual(image(7 * row));
    expect(image(7 * row + 2)).not.toEqual(image(7 * row));
  });
  sheet.dispose();
  expect(tf.memory().numTensors).toBe(before);
});
