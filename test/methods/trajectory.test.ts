import { describe, expect, it } from "vitest";
import { tf } from "../../src/engine/tf";
import { follow, readTrajectory } from "./golden-trajectory";
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
