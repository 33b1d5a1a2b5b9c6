import { describe, expect, it } from "vitest";
import { tf } from "../../src/engine/tf";
import { nceLoss, nceNormalizer } from "../../src/methods/nce";
import { hashed } from "../nn/hashed";
import nce from "./fixtures/nce.json";
import { distance, follow, readTrajectory } from "./golden-trajectory";
import { endToEndWalker, memoryBankWalker, mocoWalker, simclrWalker } from "./trajectory-walkers";

describe("ten steps on the way of a PyTorch program in double precision, no farther off than three times float32 in PyTorch", () => {
  it.each([
    ["moco-v1", mocoWalker],
    ["moco-v2", mocoWalker],
    ["moco-v2-symmetric", mocoWalker],
    ["end-to-end", endToEndWalker],
    ["memory-bank", memoryBankWalker],
    ["simclr", simclrWalker],
    ["simclr-two-groups", simclrWalker],
  ])("%s: loss, logits, dictionary, weights and running averages", (name, walker) => {
    const before = tf.memory().numTensors;
    const trajectory = readTrajectory(name);
    const deviations = follow(trajectory, walker(trajectory));
    expect(deviations.length).toBeGreaterThan(400);
    expect(deviations.filter(({ timesTheLimit }) => !(timesTheLimit <= 1))).toEqual([]);
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe("the NCE loss of instance discrimination, over several batches", () => {
  const { batches, batch, negatives, images, temperature, normalizer } = nce;
  const logitsOf = (seed: number) =>
    tf.tidy(() =>
      tf.div<tf.Tensor2D>(
        tf.tensor2d(hashed(seed, batch * (negatives + 1), -1, 1), [batch, negatives + 1]),
        temperature,
      ),
    );
  /** How far loss and gradient of a batch are from PyTorch's. */
  const errors = (seed: number, z: number) => {
    const { loss, gradient } = batches.find((one) => one.seed === seed)!;
    const logits = logitsOf(seed);
    const { value, grad } = tf.valueAndGrad((x: tf.Tensor) => nceLoss(x as tf.Tensor2D, z, images))(logits);
    const found = [distance(value.dataSync(), [loss]), distance(grad.dataSync(), gradient)];
    tf.dispose([logits, value, grad]);
    return found;
  };

  it("has PyTorch's Z, from the first batch, and with it PyTorch's loss and gradient in all batches", () => {
    const first = logitsOf(batches[0]!.seed);
    const z = nceNormalizer(first, images);
    first.dispose();
    expect(Math.abs(z / normalizer - 1)).toBeLessThan(1e-5);
    for (const { seed } of batches) for (const error of errors(seed, z)) expect(error).toBeLessThan(1e-5);
  });

  it("leaves it where Z is set again at each batch", () => {
    for (const { seed } of batches.slice(1)) {
      const logits = logitsOf(seed);
      const again = nceNormalizer(logits, images);
      logits.dispose();
      for (const error of errors(seed, again)) expect(error).toBeGreaterThan(1e-3);
    }
  });
});
