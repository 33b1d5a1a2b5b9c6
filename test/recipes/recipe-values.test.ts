import { expect, it } from "vitest";
import { mocoV1Recipe, mocoV2Recipe } from "../../src/recipes/paper-recipes";
import { recipeValues } from "../../src/recipes/recipe-values";

const sourceOf = (recipe: typeof mocoV1Recipe, field: string) =>
  recipeValues(recipe).find((one) => one.field === field)?.source;

it("every value of MoCo v1 has a line of its own in the paper or the official code", () => {
  const general = recipeValues(mocoV1Recipe).filter(({ source }) => source === mocoV1Recipe.source);
  expect(general.map(({ field }) => field)).toEqual(["method.kind"]);
});

it("a value that v2 changes has v2's source, one that it keeps has v1's", () => {
  const v2 = mocoV2Recipe(200);
  for (const field of ["method.temperature", "schedule.kind", "encoder.head"])
    expect(sourceOf(v2, field)).toBe(v2.source);
  expect(sourceOf(v2, "augmentation")).toContain("--aug-plus");
  expect(sourceOf(v2, "method.queueSize")).toContain("--moco-k 65536");
});

it("a value that was set by hand is not said to be the paper's", () => {
  const changed = { ...mocoV1Recipe, learningRate: 0.1, source: "set by hand" };
  expect(sourceOf(changed, "learningRate")).toBe("set by hand");
});
