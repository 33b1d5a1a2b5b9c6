import { describe, expect, it } from "vitest";
import { normalize } from "../../src/data/normalize";
import { tf } from "../../src/engine/tf";

describe("normalize", () => {
  it("gives each channel mean 0 and standard deviation 1 if they were the given ones", () => {
    const images = tf.tensor4d([0.1, 0.4, 0.9, 0.3, 0.8, 0.7], [1, 1, 2, 3]);
    const normal = normalize(images, [0.2, 0.6, 0.8], [0.1, 0.2, 0.1]);
    [-1, -1, 1, 1, 1, -1].forEach((value, at) => expect(normal.dataSync()[at]).toBeCloseTo(value, 6));
  });
});
