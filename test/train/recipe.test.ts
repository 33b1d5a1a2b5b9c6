import { describe, expect, it } from "vitest";
import { InputError } from "../../src/engine/errors";
import { parseRecipe, recipeHash } from "../../src/train/recipe";
import { tinyRecipe } from "./tiny";

const recipe = tinyRecipe();

function expectRefusal(value: unknown, ...messages: (string | RegExp)[]) {
  const parse = () => parseRecipe(value);
  expect(parse).toThrow(InputError);
  messages.forEach((message) => expect(parse).toThrow(message));
}

describe("parseRecipe", () => {
  it("gives back a valid recipe as it is", () => {
    expect(parseRecipe(JSON.parse(JSON.stringify(recipe)))).toEqual(recipe);
  });

  it("names a field that it does not know, at any depth", () => {
    expectRefusal({ ...recipe, queuesize: 64 }, "queuesize");
    expectRefusal({ ...recipe, encoder: { ...recipe.encoder, depth: 18 } }, /encoder: .*depth/);
    expectRefusal({ ...recipe, schedule: { kind: "cosine", warmup: 5 } }, /schedule: .*warmup/);
  });

  it("names each field that is missing or out of range, all at once", () => {
    const { temperature: _, ...rest } = recipe;
    expectRefusal(
      { ...rest, momentum: 1, epochs: 0, encoder: { ...recipe.encoder, architecture: "resnet19" } },
      "temperature: Required",
      "momentum: Number must be less than 1",
      "epochs: Number must be greater than 0",
      /encoder\.architecture: .*resnet18/,
    );
  });

  it.each([
    ["momentum", -0.1],
    ["temperature", 0],
    ["temperature", Infinity],
    ["temperature", NaN],
    ["temperature", "0.2"],
    ["learningRate", 0],
    ["learningRate", Infinity],
    ["sgdMomentum", 1],
    ["weightDecay", -1],
    ["weightDecay", Infinity],
    ["batchSize", 2.5],
    ["queueSize", 0],
    ["queueSize", Infinity],
    ["imageSize", 4096],
    ["augmentation", "moco-v3"],
    ["name", ""],
  ])("refuses %s = %s by the field's name", (field, value) => {
    expectRefusal({ ...recipe, [field]: value }, `${field}: `);
  });

  it("refuses what is no recipe at all", () => {
    for (const value of [undefined, null, 5, "moco", []]) expectRefusal(value, "Cannot use the recipe");
  });

  it("refuses a K that is no multiple of the batch size and says which would do", () => {
    expectRefusal(
      { ...recipe, queueSize: 100, batchSize: 64, bnGroups: 1 },
      "K must be a multiple of the batch size 64, for example 128; current K is 100",
    );
  });

  it("refuses groups that do not divide the batch", () => {
    expectRefusal({ ...recipe, bnGroups: 3 }, "bnGroups must divide the batch size 8, current value is 3");
  });
});

describe("recipeHash", () => {
  it("does not see name, source and the order of keys", () => {
    const turned = (value: object): object =>
      Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([key, inner]: [string, unknown]) => [key, typeof inner === "object" ? turned(inner as object) : inner]),
      );
    const same = parseRecipe({ ...turned(recipe), name: "another", source: "elsewhere" });
    expect(recipeHash(same)).toBe(recipeHash(recipe));
    expect(recipeHash(recipe)).toMatch(/^[0-9a-f]{12}$/);
  });

  it("sees every other field, and the order of milestones", () => {
    const step = (milestones: number[]) => tinyRecipe({ schedule: { kind: "step", milestones, factor: 0.1 } });
    const others = [
      tinyRecipe({ dataset: "cifar10" }),
      tinyRecipe({ imageSize: 16 }),
      tinyRecipe({ encoder: { ...recipe.encoder, width: 4 } }),
      tinyRecipe({ encoder: { ...recipe.encoder, head: "linear" } }),
      tinyRecipe({ queueSize: 32 }),
      tinyRecipe({ momentum: 0.99 }),
      tinyRecipe({ temperature: 0.07 }),
      tinyRecipe({ batchSize: 4 }),
      tinyRecipe({ bnGroups: 1 }),
      tinyRecipe({ augmentation: "moco-v1" }),
      tinyRecipe({ learningRate: 0.03 }),
      tinyRecipe({ sgdMomentum: 0 }),
      tinyRecipe({ weightDecay: 0 }),
      tinyRecipe({ epochs: 3 }),
      step([1, 2]),
      step([2, 1]),
    ];
    expect(new Set([recipe, ...others].map(recipeHash)).size).toBe(others.length + 1);
  });
});
