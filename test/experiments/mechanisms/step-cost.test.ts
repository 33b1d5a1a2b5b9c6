import { expect, it } from "vitest";
import { tf } from "../../../src/engine/tf";
import { stepCosts } from "../../../src/experiments/mechanisms/step-cost";
import type { Cell } from "../../../src/experiments/ablation/ablation";
import { tinyData, tinyMethods, tinyMoco, tinyRecipe } from "../../train/tiny";

const cellOf = (recipe: Cell["recipe"]): Cell => ({
  label: recipe.name,
  recipe,
  published: undefined,
  publishedAt: undefined,
  claimed: undefined,
});

it("times every method, and leaves nothing behind", () => {
  const before = tf.memory().numTensors;
  const costs = stepCosts(tinyMethods().map(cellOf), tinyData(), 2);
  expect(costs.map(({ label }) => label)).toEqual(tinyMethods().map(({ name }) => name));
  for (const { millisecondsAImage } of costs) expect(millisecondsAImage).toBeGreaterThan(0);
  expect(tf.memory().numTensors).toBe(before);
});

it("counts what a larger queue holds", () => {
  const [small, large] = [24, 48].map((queueSize) => cellOf(tinyRecipe({ method: tinyMoco({ queueSize }) })));
  const [ofSmall, ofLarge] = stepCosts([small!, large!], tinyData(), 1);
  expect((ofLarge!.megabytes - ofSmall!.megabytes) * 2 ** 20).toBeCloseTo(24 * (8 + 1) * 4, 6); // 24 more keys of 8 numbers, and whose they are
});
