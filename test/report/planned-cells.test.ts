import { describe, expect, it } from "vitest";
import { InputError } from "../../src/errors";
import { mechanisms } from "../../src/experiments/mechanisms/mechanisms";
import { presetNamed } from "../../src/recipes/presets";
import { plannedCells } from "../../src/report/planned-cells";

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
});
