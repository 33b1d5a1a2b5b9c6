import { describe, expect, it } from "vitest";
import {
  endToEndRecipe,
  mocoV1Recipe,
  mocoV2Recipe,
  paperRecipes,
  simclrRecipe,
} from "../../src/recipes/paper-recipes";
import { parseRecipe, type Recipe } from "../../src/train/recipe";
import { learningRateAt } from "../../src/train/schedule";

const rates = ({ schedule, learningRate: baseRate, epochs }: Recipe) =>
  Array.from({ length: epochs }, (_, epoch) => learningRateAt(schedule, { baseRate, epoch, epochs }));

describe("the recipes at the paper's scale", () => {
  it.each(paperRecipes.map((recipe) => [recipe.name, recipe] as const))("%s is valid", (_, recipe) =>
    expect(parseRecipe(recipe)).toEqual(recipe),
  );

  it("MoCo v1 has rate 0.03 for 120 epochs, 0.003 for 40 and 0.0003 for 40", () => {
    const expected = [
      ...Array<number>(120).fill(0.03),
      ...Array<number>(40).fill(0.003),
      ...Array<number>(40).fill(3e-4),
    ];
    rates(mocoV1Recipe).forEach((rate, epoch) => expect(rate, `epoch ${epoch}`).toBeCloseTo(expected[epoch]!, 12));
  });

  it("MoCo v2 has half a cosine from 0.03, once an epoch", () => {
    rates(mocoV2Recipe(800)).forEach((rate, epoch) =>
      expect(rate, `epoch ${epoch}`).toBeCloseTo(0.03 * Math.cos((Math.PI * epoch) / 1600) ** 2, 12),
    );
  });

  it("end-to-end has rates of 0.03, 0.06 and 0.12", () => {
    const batches = [256, 512, 1024] as const;
    expect(batches.map((batch) => endToEndRecipe(batch).learningRate)).toEqual([0.03, 0.06, 0.12]);
    for (const batch of batches) {
      const { batchSize, bnGroups } = endToEndRecipe(batch);
      expect(batchSize / bnGroups).toBe(32);
    }
  });

  it("SimCLR rises to 4.8 in ten epochs and falls by a cosine to the end", () => {
    const byEpoch = rates(simclrRecipe);
    expect(byEpoch[0]).toBe(0);
    expect(byEpoch[5]).toBeCloseTo(2.4, 12);
    expect(byEpoch[10]).toBeCloseTo(4.8, 12);
    expect(byEpoch[55]).toBeCloseTo(2.4, 12);
  });
});
