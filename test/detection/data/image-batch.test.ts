import { describe, expect, it } from "vitest";
import { batchImages } from "../../../src/detection/data/image-batch";
import { tf } from "../../../src/engine/tf";

describe("batchImages", () => {
  it("puts zeros at the right and at the bottom of smaller images and leaves no other tensor", () => {
    const unequal = [tf.ones<tf.Rank.R3>([2, 3, 3]), tf.fill<tf.Rank.R3>([3, 1, 3], 2)];
    const before = tf.memory().numTensors;
    const { images, sizes } = batchImages(unequal);
    expect(tf.memory().numTensors).toBe(before + 1);
    expect(images.shape).toEqual([2, 3, 3, 3]);
    expect(sizes).toEqual([
      { height: 2, width: 3 },
      { height: 3, width: 1 },
    ]);
    const red = tf.tidy(() => tf.slice4d(images, [0, 0, 0, 0], [2, 3, 3, 1]).dataSync());
    expect([...red]).toEqual([1, 1, 1, 1, 1, 1, 0, 0, 0, 2, 0, 0, 2, 0, 0, 2, 0, 0]);
    tf.dispose([images, unequal]);
  });
});
