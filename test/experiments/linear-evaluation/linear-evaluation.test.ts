import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parameterCount } from "../../../src/nn/resnet-layout";
import { encoderComparison } from "../../../src/experiments/linear-evaluation/encoder-comparison";
import { publishedEncoders } from "../../../src/paper/published-methods";
import { linearEvaluation } from "../../../src/experiments/linear-evaluation/linear-evaluation";
import { publishedMethods } from "../../../src/paper/published-methods";
import { defaultMethod, methodRecipe, mocoRecipe } from "../../../src/recipes/method-recipes";
import { presetNamed, presetNames } from "../../../src/recipes/presets";
import { publishedLengths } from "../../../src/paper/published-ablations";
import { trainingLengths } from "../../../src/experiments/ablation/training-length";
import { parseRecipe } from "../../../src/train/recipe";
import { recipeHash } from "../../../src/train/recipe-hash";

const claims = readFileSync(join(__dirname, "../../..", "docs", "claims.md"), "utf8");

// Written out again from MoCo, arXiv 1911.05722v3, so that a slip in the source does not pass.
describe("Table 1", () => {
  it("has the parameters and accuracies of MoCo's encoders", () => {
    expect(publishedEncoders.map(({ name, parameters, accuracy }) => [name, parameters, accuracy])).toEqual([
      ["R50", 24, 60.6],
      ["RX50", 46, 63.9],
      ["R50w2×", 94, 65.4],
      ["R50w4×", 375, 68.6],
    ]);
  });

  it("has the parameters and accuracies of the other methods", () => {
    const numbers = [211, 46, 94, 51.4, 94, 44.6, 86, 55.4, 28, 39.6, 15, 48.4, 24, 56.6, 86, 61.3, 24, 54, 24, 58.8];
    numbers.push(28, 48.7, 303, 65.9, 47, 64.1, 188, 68.4, 194, 63.5, 626, 68.1);
    expect(publishedMethods.flatMap(([, parameters, accuracy]) => [parameters, accuracy])).toEqual(numbers);
  });

  it("prints the parameters that the kit's encoders of these widths have", () => {
    for (const { name, network, parameters } of publishedEncoders) {
      expect(Math.round(parameterCount(network) / 1e6), name).toBe(parameters);
    }
  });
});

describe("MoCo v2, Table 1", () => {
  it("has 67.5 after 200 epochs and 71.1 after 800", () => {
    expect([...publishedLengths]).toEqual([
      [200, 67.5],
      [800, 71.1],
    ]);
  });
});

describe.each(presetNames)("preset %s", (name) => {
  const preset = presetNamed(name);
  const moco = mocoRecipe(preset, preset.momentumAblationQueueSize, preset.queueAblationMomentum);
  const methods = linearEvaluation(preset);
  const encoders = encoderComparison(preset);
  const lengths = trainingLengths(preset);
  const tables = [methods, encoders, lengths];

  it("has valid recipes, and a row to compare with", () => {
    for (const { cells, referenceLabel } of tables) {
      const hashes = cells.map(({ recipe }) => recipeHash(parseRecipe(recipe)));
      expect(new Set(hashes).size).toBe(cells.length);
      expect(cells.filter(({ label }) => label === referenceLabel)).toHaveLength(1);
    }
  });

  it("names claims that docs/claims.md has a row for", () => {
    for (const claim of tables.flatMap((table) => table.claims)) {
      expect(claims).toMatch(new RegExp(`^\\| ${claim} +\\|`, "m"));
    }
  });

  it("trains every method for as long, with the preset's augmentation and rate", () => {
    const { base } = preset;
    for (const { recipe } of methods.cells) {
      const { method: _method, encoder, name: _name, ...rest } = recipe;
      const { encoder: _encoder, ...shared } = base;
      expect(rest).toEqual(shared);
      expect({ ...encoder, dimension: 0 }).toEqual({ ...base.encoder, dimension: 0 });
    }
    expect(methods.cells.map(({ recipe }) => recipe.method.kind)).toEqual(
      expect.arrayContaining(["random", "supervised", "moco", "memory-bank", "end-to-end", "simclr"]),
    );
  });

  it("takes MoCo's row from the run that the ablations have trained", () => {
    const cell = methods.cells.find(({ label }) => label === "MoCo");
    expect(cell?.recipe).toEqual(moco);
    expect(lengths.cells.at(-1)!.recipe).toEqual(moco);
  });

  it("varies the length only, up to the preset's own", () => {
    for (const { recipe, label } of lengths.cells) {
      expect({ ...recipe, name: moco.name, epochs: moco.epochs }).toEqual(moco);
      expect(label).toBe(`${recipe.epochs} epoch${recipe.epochs === 1 ? "" : "s"}`);
    }
    const epochs = lengths.cells.map(({ recipe }) => recipe.epochs);
    expect(epochs).toEqual([...new Set(epochs)].sort((a, b) => a - b));
    expect(lengths.axis.values).toEqual(epochs);
  });

  it("varies the encoder only, all for half of the preset's epochs", () => {
    const own = { ...moco.encoder };
    for (const { recipe } of encoders.cells) {
      expect({ ...recipe, name: moco.name, encoder: own, epochs: moco.epochs }).toEqual(moco);
      expect(recipe.epochs).toBe(Math.max(1, moco.epochs / 2));
    }
    const trained = encoders.cells.map(({ recipe: { encoder } }) => ({ ...encoder }));
    expect(trained).toContainEqual(own);
  });

  it("shows every row of Table 1 once, trained or as published", () => {
    const values = encoders.cells.flatMap(({ published }) => published?.value ?? []);
    const published = encoders.publishedOnly.map((row) => row.published.value);
    expect([...values, ...published].sort()).toEqual(publishedEncoders.map(({ accuracy }) => accuracy).sort());
    expect(methods.publishedOnly).toHaveLength(publishedMethods.length);
    const lengthValues = [...lengths.cells, ...lengths.publishedOnly].flatMap(
      ({ published }) => published?.value ?? [],
    );
    expect(lengthValues.sort()).toEqual([...publishedLengths.values()].sort());
  });
});

describe("preset quick", () => {
  const preset = presetNamed("quick");
  const { cells } = encoderComparison(preset);

  it("sets encoders beside those of the paper that differ from ResNet-50 as they do", () => {
    const [reference] = cells;
    const factor = 64 / reference!.recipe.encoder.width;
    for (const { recipe, publishedAt } of cells) {
      const paper = publishedEncoders.find(({ name, parameters }) => publishedAt === `${name}, ${parameters} M`);
      if (publishedAt === undefined) continue;
      expect(paper?.network.architecture).toBe(recipe.encoder.architecture);
      expect(paper?.network.width).toBe(factor * recipe.encoder.width);
    }
    expect(cells.filter(({ published }) => published !== undefined)).toHaveLength(3);
  });

  it("has an eighth, a quarter and a half of its epochs, rounded, beside all of them", () => {
    const lengths = trainingLengths(preset);
    expect(lengths.axis.values).toEqual([1, 3, 5, 10]);
    expect(lengths.cells.map(({ published }) => published?.value)).toEqual([undefined, 67.5, undefined, 71.1]);
  });

  it("shares the half of the training with the encoders' table", () => {
    const half = trainingLengths(preset).cells[2]!.recipe;
    expect(cells.map(({ recipe }) => recipe)).toContainEqual(half);
    expect(half.name).toBe(`${methodRecipe(preset, defaultMethod(preset, "moco")).name}-5epochs`);
  });
});
