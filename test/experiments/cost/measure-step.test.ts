import { describe, expect, it } from "vitest";
import { tf } from "../../../src/engine/tf";
import { measureStep } from "../../../src/experiments/cost/measure-step";
import { tinyDetector, tinyLinear, tinyPretraining } from "./tiny-training";

const trainings = [
  ["MoCo", tinyPretraining("moco")],
  ["a memory bank", tinyPretraining("memory-bank")],
  ["SimCLR in chunks", tinyPretraining("simclr", { method: { kind: "simclr", temperature: 0.1, chunkSize: 8 } })],
  ["a linear classifier", tinyLinear()],
  ["Mask R-CNN", tinyDetector()],
] as const;

describe("measureStep", () => {
  it.each(trainings)("takes steps of %s with no data, and leaves nothing", async (_, training) => {
    const before = tf.memory().numTensors;
    const measured = await measureStep(training);
    expect(tf.memory().numTensors).toBe(before);
    expect(measured.batchSize).toBe(training.recipe.batchSize);
    expect(Number.isFinite(measured.loss)).toBe(true);
    for (const value of [measured.secondsAStep, measured.cores, measured.timedSteps]) expect(value).toBeGreaterThan(0);
    expect(measured.heldBytes).toBeGreaterThan(0);
    expect(measured.peakBytes).toBeGreaterThan(measured.heldBytes);
    expect(measured.peakBytes).toBeGreaterThanOrEqual(measured.startBytes);
    expect(measured.startBytes).toBeGreaterThan(0);
  });

  it("holds a memory bank for every image of the set that is not there", async () => {
    const small = tinyPretraining("memory-bank");
    const large = { ...small, set: { ...small.set, images: 1100 } };
    expect((await measureStep(large)).heldBytes - (await measureStep(small)).heldBytes).toBe(1000 * 128 * 4);
  });
});
