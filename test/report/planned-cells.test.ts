import { describe, expect, it } from "vitest";
import { InputError } from "../../src/errors";
import { mechanisms } from "../../src/experiments/mechanisms/mechanisms";
import { paperAblationNames } from "../../src/experiments/paper-scale/paper-ablation";
import { presetNamed } from "../../src/recipes/presets";
import { plannedCells, plannedPaperCells } from "../../src/report/planned-cells";

const smoke = presetNamed("smoke");

describe("the planned cells", () => {
  it("of mechanisms wait for the trials of rates", () => {
    const plan = (trials: Parameters<typeof plannedCells>[1]["trials"]) =>
      plannedCells(smoke, { tables: ["mechanisms"], seeds: 1, trials });
    expect(() => plan([])).toThrow(InputError);
    expect(() => plan([])).toThrow(
      /rates are chosen by trials that were not made yet. Run: moco notebook 01 --preset smoke/,
    );
    const trials = mechanisms.map((mechanism) => ({ mechanism, rate: 0.01, recipeHash: "", knn: 0.5 }));
    expect(plan(trials).length).toBeGreaterThan(1);
  });

  it("of a table that is named twice are there once", () => {
    const once = plannedCells(smoke, { tables: ["momentum"], seeds: 3, trials: [] });
    expect(plannedCells(smoke, { tables: ["momentum", "momentum"], seeds: 3, trials: [] })).toEqual(once);
    expect(once).toHaveLength(3 * smoke.momenta.length);
  });

  it("of the paper's own rows are 22, each with every row that it is", () => {
    const cells = plannedPaperCells(paperAblationNames, "folder:/data/imagenet");
    expect(cells).toHaveLength(22);
    expect(new Set(cells.map(({ seed, recipe }) => `${seed} on ${recipe.dataset}`))).toEqual(
      new Set(["1 on folder:/data/imagenet"]),
    );
    const rows = cells.map((cell) => cell.rows.map(({ table, label }) => `${table}: ${label}`).join("; "));
    expect(rows).toContain("mechanisms: MoCo, K = 65,536; linear-evaluation: MoCo, R50; queue-size: K = 65,536");
    expect(rows).toContain("mechanisms: MoCo, K = 4,096; queue-size: K = 4,096; momentum: m = 0.999");
    // On another data set, another name.
    const ids = new Set(cells.map(({ id }) => id));
    expect(ids.size).toBe(22);
    expect(plannedPaperCells(paperAblationNames).filter(({ id }) => ids.has(id))).toEqual([]);
  });
});
