import { figure3 } from "../../src/paper/published-ablations";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { momentumAblation } from "../../src/experiments/ablation/momentum";
import { publishedMomenta } from "../../src/paper/published-ablations";
import { presetNamed, presetNames } from "../../src/recipes/presets";
import { queueSizeAblation } from "../../src/experiments/ablation/queue-size";
import type { Recipe } from "../../src/train/recipe";

const moco = ({ method }: Recipe) => {
  if (method.kind !== "moco") throw new Error(`not MoCo: ${method.kind}`);
  return method;
};

const claims = readFileSync(join(__dirname, "..", "..", "docs", "claims.md"), "utf8");

// Written out again from MoCo, arXiv 1911.05722v3, so that a slip in the source does not pass.
describe("published numbers", () => {
  it("of the queue are the points of Figure 3, curve MoCo", () => {
    expect([...figure3.moco]).toEqual([
      [256, 54.7],
      [512, 56.4],
      [1024, 57.5],
      [4096, 59.0],
      [16384, 60.4],
      [65536, 60.6],
    ]);
  });

  it("of the momentum are those of section 4.1", () => {
    expect([...publishedMomenta]).toEqual([
      [0, "fail"],
      [0.9, 55.2],
      [0.99, 57.8],
      [0.999, 59.0],
      [0.9999, 58.9],
    ]);
  });
});

describe.each(presetNames)("preset %s", (name) => {
  const preset = presetNamed(name);
  const queueSizes = queueSizeAblation(preset);
  const momenta = momentumAblation(preset);

  it("sets each K beside the paper's K that holds as many batches", () => {
    for (const { queueSize, paper } of preset.ablations.queueSizes) {
      if (paper !== undefined) expect(queueSize / preset.ablations.base.batchSize).toBe(paper / 256);
      else expect(figure3.moco.has((queueSize / preset.ablations.base.batchSize) * 256)).toBe(false);
    }
    for (const { recipe, published, publishedAt } of queueSizes.cells) {
      const paper = (moco(recipe).queueSize / recipe.batchSize) * 256;
      expect(published?.value).toBe(figure3.moco.get(paper));
      expect(publishedAt).toBe(published && `K = ${paper.toLocaleString("en")}`);
    }
  });

  it("sets each m beside the paper's own", () => {
    for (const { recipe, published } of momenta.cells) {
      expect(published?.value).toBe(publishedMomenta.get(moco(recipe).momentum));
    }
  });

  it("shows every published row once, trained or as published", () => {
    const values = ({ cells, publishedOnly }: typeof momenta) =>
      [...cells, ...publishedOnly].flatMap(({ published }) => published?.value ?? []);
    expect(values(queueSizes).sort()).toEqual([...figure3.moco.values()].sort());
    expect(values(momenta).sort()).toEqual([...publishedMomenta.values()].sort());
  });

  it("varies one thing only, along the axis of the chart", () => {
    const without = (recipe: Recipe, changes: object) => ({
      ...recipe,
      name: "",
      method: { ...recipe.method, ...changes },
    });
    const base = without(queueSizes.cells[0]!.recipe, { queueSize: 0 });
    expect(queueSizes.cells.map(({ recipe }) => without(recipe, { queueSize: 0 }))).toEqual(
      queueSizes.cells.map(() => base),
    );
    expect(queueSizes.cells.map(({ recipe }) => moco(recipe).queueSize)).toEqual(queueSizes.axis.values);
    const first = without(momenta.cells[0]!.recipe, { momentum: 0 });
    expect(momenta.cells.map(({ recipe }) => without(recipe, { momentum: 0 }))).toEqual(momenta.cells.map(() => first));
    expect(momenta.cells.map(({ recipe }) => moco(recipe).momentum)).toEqual(momenta.axis.values);
  });

  it("compares with a row that is among its cells", () => {
    for (const { cells, referenceLabel } of [queueSizes, momenta]) {
      expect(cells.filter(({ label }) => label === referenceLabel)).toHaveLength(1);
    }
  });

  it("names claims that docs/claims.md has a row for", () => {
    for (const claim of [...queueSizes.claims, ...momenta.claims]) {
      expect(claims).toMatch(new RegExp(`^\\| ${claim} +\\|`, "m"));
    }
  });
});
