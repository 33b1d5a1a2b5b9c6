import { describe, expect, it } from "vitest";
import { detectionPresetNames } from "../../../src/recipes/detection-presets";
import { InputError } from "../../../src/errors";
import { paperTrainings, trainingsNamed } from "../../../src/experiments/cost/planned-training";
import { paperRecipes } from "../../../src/recipes/paper-recipes";

const names = paperTrainings().map(({ recipe }) => recipe.name);

describe("paperTrainings", () => {
  it("has every pre-training and every detector that the official code has a name for", () => {
    const official = detectionPresetNames.filter((name) => /^(pascal_voc|coco)_R_50_/.test(name));
    expect(official.length).toBeGreaterThanOrEqual(5);
    expect(names).toEqual([...paperRecipes.map(({ name }) => name), "linear-imagenet", ...official]);
  });

  it("knows the training set of each", () => {
    const images = Object.fromEntries(paperTrainings().map(({ recipe, set }) => [recipe.name, set.images]));
    expect(images).toMatchObject({
      "moco-v1-imagenet": 1_281_167,
      pascal_voc_R_50_C4_24k: 16_551,
      pascal_voc_R_50_C4_9k: 5011,
      coco_R_50_C4_2x: 117_266,
    });
  });
});

describe("trainingsNamed", () => {
  it("takes them in the order asked for, each once, and all for none", () => {
    const asked = [names[2]!, names[0]!, names[2]!];
    expect(trainingsNamed(asked).map(({ recipe }) => recipe.name)).toEqual([names[2], names[0]]);
    expect(trainingsNamed([]).map(({ recipe }) => recipe.name)).toEqual(names);
  });

  it("lists the names for one that there is not", () => {
    expect(() => trainingsNamed(["quick"])).toThrow(InputError);
    expect(() => trainingsNamed(["quick"])).toThrow(/choose of moco-v1-imagenet, .*current value is "quick"/);
  });
});
