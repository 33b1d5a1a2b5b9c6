import { expect, it } from "vitest";
import { linearRecipeFrom } from "../../src/cli/linear-recipe-from";
import { paperLinearRecipe } from "../../src/evaluate/linear-recipe";

const imageNet = { images: 1_281_167, classes: 1000 };
const at = (dataset: string) => ({ dataset, imageSize: 224, part: "test" }) as const;

it("the linear protocol on ImageNet is the paper's, wherever the images are; on others it has another name", () => {
  const elsewhere = linearRecipeFrom(at("folder:/data/imagenet"), imageNet, []);
  expect(elsewhere).toEqual({ ...paperLinearRecipe, dataset: "folder:/data/imagenet" });
  expect(linearRecipeFrom(at("folder:imagenet"), { images: 24, classes: 2 }, []).name).toBe("linear");
});
