import { describe, expect, it } from "vitest";
import { InputError } from "../../src/errors";
import { parseRecipe } from "../../src/train/recipe";
import { recipeHash } from "../../src/train/recipe-hash";
import { tinyMoco, tinyRecipe } from "./tiny";

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
    const { temperature: _, ...rest } = tinyMoco();
    expectRefusal(
      {
        ...recipe,
        method: { ...rest, momentum: 1 },
        epochs: 0,
        encoder: { ...recipe.encoder, architecture: "resnet19" },
      },
      "method.temperature: Required",
      "method.momentum: Number must be less than 1",
      "epochs: Number must be greater than 0",
      /encoder\.architecture: .*resnet18/,
    );
  });

  it.each([
    ["method.momentum", -0.1],
    ["method.temperature", 0],
    ["method.temperature", Infinity],
    ["method.temperature", NaN],
    ["method.temperature", "0.2"],
    ["method.queueSize", 0],
    ["method.queueSize", Infinity],
    ["method.kind", "byol"],
    ["learningRate", 0],
    ["learningRate", -0],
    ["learningRate", "0x10"],
    ["learningRate", ""],
    ["learningRate", [0.1]],
    ["epochs", 2 ** 53 + 2],
    ["learningRate", Infinity],
    ["optimizer.momentum", 1],
    ["optimizer.momentum", -0],
    ["optimizer.weightDecay", -0],
    ["method.momentum", -0],
    ["optimizer.weightDecay", -1],
    ["optimizer.weightDecay", Infinity],
    ["batchSize", 2.5],
    ["imageSize", 4096],
    ["augmentation", "moco-v3"],
    ["name", ""],
  ])("refuses %s = %s by the field's name", (field, value) => {
    const [outer, inner] = field.split(".") as [keyof typeof recipe, string?];
    const changed = inner === undefined ? value : { ...(recipe[outer] as object), [inner]: value };
    expectRefusal({ ...recipe, [outer]: changed }, `${field}: `);
  });

  it("refuses what is no recipe at all", () => {
    for (const value of [undefined, null, 5, "moco", []]) expectRefusal(value, "Cannot use the recipe");
  });

  it("refuses a K that is no multiple of the batch size and says which would do", () => {
    expectRefusal(
      { ...recipe, method: tinyMoco({ queueSize: 100 }), batchSize: 64, bnGroups: 1 },
      "K must be a multiple of the batch size 64, for example 128; current K is 100",
    );
  });

  it("refuses groups that do not divide the batch", () => {
    expectRefusal({ ...recipe, batchSize: 8, bnGroups: 8 }, "its statistics need two images or more in a group");
    expectRefusal({ ...recipe, method: tinyMoco({ queueSize: 1 }), batchSize: 1, bnGroups: 1 }, "must be at least 2");
    expectRefusal({ ...recipe, method: tinyMoco({ temperature: 0 }) }, "method.temperature");
    // In float32, 0 and infinity.
    expectRefusal({ ...recipe, method: tinyMoco({ temperature: 1e-50 }) }, "method.temperature");
    expectRefusal({ ...recipe, learningRate: 1e39 }, "learningRate");
    expectRefusal({ ...recipe, epochs: 2 ** 53 }, "epochs");
    expectRefusal({ ...recipe, bnGroups: 3 }, "bnGroups must divide the batch size 8, current value is 3");
  });

  it("refuses chunks that do not hold whole groups", () => {
    const chunked = (chunkSize: number, bnGroups: number) =>
      parseRecipe({ ...recipe, bnGroups, method: { kind: "simclr", temperature: 0.1, chunkSize } });
    expect(chunked(4, 4)).toMatchObject({ method: { chunkSize: 4 } });
    expect(() => chunked(4, 2)).toThrow(/chunkSize must divide .* 8 and be a multiple of the 8 images .* value is 4/);
    expect(() => chunked(3, 4)).toThrow(InputError);
    expect(() => chunked(8, 1)).toThrow(/bnGroups must be at least 2, current value is 1/);
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
      tinyRecipe({ method: tinyMoco({ queueSize: 32 }) }),
      tinyRecipe({ method: tinyMoco({ momentum: 0.99 }) }),
      tinyRecipe({ method: tinyMoco({ temperature: 0.07 }) }),
      tinyRecipe({ method: tinyMoco({ shuffleBN: false }) }),
      tinyRecipe({ method: tinyMoco({ symmetric: true }) }),
      tinyRecipe({ method: { kind: "simclr", temperature: 0.2 } }),
      tinyRecipe({ method: { kind: "end-to-end", temperature: 0.2, shuffleBN: true } }),
      tinyRecipe({ batchSize: 4 }),
      tinyRecipe({ bnGroups: 1 }),
      tinyRecipe({ augmentation: "moco-v1" }),
      tinyRecipe({ learningRate: 0.03 }),
      tinyRecipe({ optimizer: { ...recipe.optimizer, momentum: 0 } }),
      tinyRecipe({ optimizer: { ...recipe.optimizer, weightDecay: 0 } }),
      tinyRecipe({ epochs: 3 }),
      step([1, 2]),
      step([2, 1]),
    ];
    expect(new Set([recipe, ...others].map(recipeHash)).size).toBe(others.length + 1);
  });
});
