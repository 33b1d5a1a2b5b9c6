import { describe, expect, it } from "vitest";
import { takeImages } from "../../src/data/image-data";
import { tf } from "../../src/engine/tf";
import { randomStream } from "../../src/engine/random";
import { extractFeatures } from "../../src/evaluate/extract";
import { createEncoder, disposeEncoder } from "../../src/nn/encoder";
import { relativeError } from "../engine/double-precision";
import { tinyData } from "../train/tiny";

describe("extractFeatures", () => {
  it("gives an image the same features in a large set, which is recorded, and by itself", () => {
    const data = tinyData();
    // More than sixteen batches of 256, and the last is not full.
    const large = takeImages(
      data.train,
      "many",
      Array.from({ length: 4100 }, (_, index) => index % 26),
    );
    const config = { architecture: "resnet18", width: 2, stem: "cifar", head: "linear", dimension: 4 } as const;
    const encoder = createEncoder(config, randomStream(1, "encoder"));
    const before = tf.memory().numTensors;
    const [many, few] = [extractFeatures(encoder, data, large), extractFeatures(encoder, data, data.train)];
    const { dimension } = few;
    expect([many.values.length, few.values.length]).toEqual([4100 * dimension, 26 * dimension]);
    for (const image of [0, 1, 300, 4095, 4099]) {
      const [inMany, inFew] = [
        many.values.subarray(image * dimension, (image + 1) * dimension),
        few.values.subarray((image % 26) * dimension, ((image % 26) + 1) * dimension),
      ];
      expect(relativeError(inMany, inFew)).toBeLessThan(1e-5);
    }
    disposeEncoder(encoder);
    expect(tf.memory().numTensors).toBeLessThanOrEqual(before);
  });
});
