import { describe, expect, it } from "vitest";
import { mechanisms, type RateTrial } from "../../../src/experiments/mechanisms/mechanisms";
import { rateTrialNotes, rateTrialRows } from "../../../src/experiments/mechanisms/rate-trial-rows";

/** Each mechanism is best at the same rate. */
function trialsBestAt(best: number): RateTrial[] {
  return mechanisms.flatMap((mechanism) =>
    [0.01, 0.03, 0.1].map((rate) => ({ mechanism, rate, recipeHash: "", knn: rate === best ? 0.5 : 0.2 })),
  );
}

describe("rateTrialRows", () => {
  it("has a row a mechanism with standard errors, and the rate that is chosen", () => {
    const rows = rateTrialRows(trialsBestAt(0.03), 400);
    expect(rows).toHaveLength(mechanisms.length);
    expect(rows[0]).toMatchObject({ "rate 0.01": "20.0 ± 2.0", "rate 0.03": "50.0 ± 2.5", chosen: "0.03" });
  });

  it("says which training diverged", () => {
    const trials = trialsBestAt(0.03).map((trial) => (trial.rate === 0.1 ? { ...trial, knn: null } : trial));
    expect(rateTrialRows(trials, 400)[0]).toMatchObject({ "rate 0.1": "diverged" });
  });
});

describe("rateTrialNotes", () => {
  it("say which choices stand at an end of the grid", () => {
    expect(rateTrialNotes(trialsBestAt(0.03))).toEqual([]);
    expect(rateTrialNotes(trialsBestAt(0.1))[0]).toMatch(/^Best at an end of the grid: /);
  });
});
