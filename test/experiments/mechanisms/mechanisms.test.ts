import { describe, expect, it } from "vitest";
import {
  bestRates,
  mechanismAblation,
  mechanisms,
  rateTrialRecipe,
  type RateTrial,
} from "../../../src/experiments/mechanisms/mechanisms";
import { presetNamed } from "../../../src/recipes/presets";
import { parseRecipe } from "../../../src/train/recipe";
import { recipeHash } from "../../../src/train/recipe-hash";

const preset = presetNamed("quick");
const rates = { moco: 0.01, "memory-bank": 0.03, "end-to-end": 0.003, simclr: 0.01 };
const ablation = mechanismAblation(preset, rates);

describe("mechanismAblation", () => {
  it("has valid recipes, all different", () => {
    const recipes = ablation.cells.map(({ recipe }) => parseRecipe(recipe));
    expect(new Set(recipes.map(recipeHash)).size).toBe(recipes.length);
  });

  it("shows each mechanism the same number of views", () => {
    for (const { recipe } of ablation.cells) {
      const viewsOfImage = recipe.method.kind === "memory-bank" ? 1 : 2;
      expect(recipe.epochs * viewsOfImage).toBe(2 * preset.base.epochs);
      expect(recipe.augmentation).toBe(preset.base.augmentation);
    }
  });

  it("scales the rate with the batch, and keeps groups of the same size", () => {
    for (const { recipe } of ablation.cells) {
      const { kind } = recipe.method;
      const rate = rates[kind as keyof typeof rates];
      expect(recipe.learningRate).toBeCloseTo((rate * recipe.batchSize) / preset.base.batchSize, 12);
      if (kind !== "simclr") {
        expect(recipe.batchSize / recipe.bnGroups).toBe(preset.base.batchSize / preset.base.bnGroups);
      }
    }
  });

  it("counts the negatives of a query on one axis", () => {
    const axis = Object.fromEntries(ablation.cells.map(({ label }, index) => [label, ablation.axis.values[index]]));
    expect(axis).toMatchObject({
      "MoCo, K = 1024": 1024,
      "memory bank, K = 64": 64,
      "end-to-end, batch = 64": 63,
      "SimCLR, batch = 128": 254,
    });
  });

  it("stands each point beside the published one of as many batches, and shows all others of figure 3 as published", () => {
    const published = ablation.cells.map(({ label, published, publishedAt }) => [label, published?.value, publishedAt]);
    expect(published).toContainEqual(["memory bank, K = 256", 54.1, "K = 1,024"]);
    expect(published).toContainEqual(["end-to-end, batch = 128", 56.3, "K = 512"]);
    expect(published).toContainEqual(["SimCLR, batch = 64", undefined, undefined]);
    const shown = published.filter(([, value]) => value !== undefined).length + ablation.publishedOnly.length;
    expect(shown).toBe(15);
  });
});

describe("rateTrialRecipe", () => {
  it("is a short training of a valid recipe, views shared equally", () => {
    for (const mechanism of mechanisms) {
      const recipe = parseRecipe(rateTrialRecipe(preset, mechanism, 0.03));
      expect(recipe).toMatchObject({ learningRate: 0.03, epochs: mechanism === "memory-bank" ? 6 : 3 });
    }
  });
});

describe("bestRates", () => {
  const trial = (mechanism: RateTrial["mechanism"], rate: number, knn: number | null): RateTrial => ({
    mechanism,
    rate,
    knn,
    recipeHash: "",
  });
  const others = mechanisms.slice(1).map((mechanism) => trial(mechanism, 0.01, 0.3));

  it("takes the best on validation, the lower of equals, and never a trial that diverged", () => {
    const trials = [trial("moco", 0.1, null), trial("moco", 0.03, 0.4), trial("moco", 0.01, 0.4), ...others];
    expect(bestRates(trials)).toEqual({ moco: 0.01, "memory-bank": 0.01, "end-to-end": 0.01, simclr: 0.01 });
  });

  it("gives none while a mechanism has no finished trial", () => {
    expect(bestRates(others)).toBeUndefined();
    expect(bestRates([trial("moco", 0.1, null), ...others])).toBeUndefined();
  });
});
