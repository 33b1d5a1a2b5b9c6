import { afterEach, expect, it, vi } from "vitest";
import { createDetector, disposeDetector } from "../../../src/detection/model/detector";
import { detectSet } from "../../../src/detection/train/detect-set";
import { randomStream } from "../../../src/engine/random";
import { tf } from "../../../src/engine/tf";
import { disposeEncoder } from "../../../src/nn/encoder";
import { relativeError } from "../../engine/double-precision";
import { tinyDetection, tinyInitialization, tinySet } from "../tiny-detection";

afterEach(() => vi.unstubAllEnvs());

it("finds in 20 images of one size, by a recorded function, what it finds op by op, and leaves no tensor", async () => {
  const encoder = tinyInitialization.createEncoder();
  const recipe = tinyDetection();
  const config = { ...recipe.detector, masks: true as const, classes: 2 };
  const detector = createDetector(config, encoder, randomStream(1));
  const set = tinySet(20, () => [24, 28]);
  const before = tf.memory().numTensors;
  const recorded = await detectSet(detector, set, recipe.images);
  expect(tf.memory().numTensors).toBe(before);
  vi.stubEnv("MOCO_OP_BY_OP", "1");
  const opByOp = await detectSet(detector, set, recipe.images);
  expect(recorded.length).toBeGreaterThan(0);
  expect(recorded.map(({ imageId, category }) => [imageId, category])).toEqual(
    opByOp.map(({ imageId, category }) => [imageId, category]),
  );
  const numbers = (found: typeof recorded) => found.flatMap(({ box, score }) => [...box, score]);
  expect(relativeError(numbers(recorded), numbers(opByOp))).toBeLessThan(1e-4);
  disposeDetector(detector);
  disposeEncoder(encoder);
});
