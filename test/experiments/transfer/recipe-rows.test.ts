import { describe, expect, it } from "vitest";
import { recipeRows } from "../../../src/experiments/transfer/recipe-rows";
import { detectionPreset } from "../../../src/recipes/detection-presets";

describe("recipeRows", () => {
  it("sets a recipe beside the paper's, both read from their data", () => {
    const rows = recipeRows(detectionPreset("quick"), detectionPreset("pascal_voc_R_50_C4_24k"));
    const row = (value: string) => rows.find((one) => one["value"] === value);
    expect(row("backbone")).toMatchObject({ here: "resnet18, width 16", paper: "resnet50, width 64" });
    expect(row("shorter side in training")).toMatchObject({ here: "96 px", paper: "480 to 800 px" });
    expect(row("iterations")).toMatchObject({ here: "1,200", paper: "24,000" });
    expect(row("learning rate divided by 10 at")).toMatchObject({ here: "900; 1,100", paper: "18,000; 22,000" });
  });
});
