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

it("a value that was set by hand has that for its source, and only that one", () => {
  const { queueSize: _, ...method } = mocoV1Recipe.method as { queueSize: number };
  const changed = {
    ...mocoV1Recipe,
    learningRate: 0.1,
    method: { ...method, queueSize: 4096 },
    source: "set by hand",
  } as typeof mocoV1Recipe;
  const fields = ["learningRate", "method.queueSize", "schedule"];
  const source = (field: string) =>
    recipeValues(changed, { fields, source: mocoV1Recipe.source }).find((one) => one.field === field)?.source;
  for (const field of ["learningRate", "method.queueSize", "schedule.kind", "schedule.milestones"])
    expect(source(field)).toBe("set on the command line");
  expect(source("method.kind")).toBe(mocoV1Recipe.source);
  expect(source("batchSize")).toContain("--batch-size 256");
});

it("a value that was set to what the paper has was set all the same", () => {
  const [value] = recipeValues(mocoV1Recipe, { fields: ["imageSize"], source: "" }).filter(
    ({ field }) => field === "imageSize",
  );
  expect(value).toEqual({ field: "imageSize", value: 224, source: "set on the command line" });
});
