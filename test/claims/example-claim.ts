import type { Claim, ClaimTest } from "../../src/claims/claim";

/** A claim of rows "0", "1", ... of the table of momenta; the id names the first value that a test gives it. */
export function exampleClaim(id: string, test: ClaimTest, family = "Table 1", rows = ["0", "1"]): Claim {
  return {
    id,
    statement: `claim ${id}`,
    by: "paper",
    source: family,
    reference: { points: 2.6, printed: "57.8 against 55.2" },
    family,
    question: { estimand: { kind: "ablation", table: "momentum", metric: "linear", rows }, test },
  };
}
