import { describe, expect, it } from "vitest";
import type { Claim, ClaimTest } from "../../src/claims/claim";
import type { SeedValues } from "../../src/claims/evidence";
import { judge, type Judgement } from "../../src/claims/judge";
import { randomStream, type Random } from "../../src/engine/random";
import { holm } from "../../src/statistics/holm";
import { pairedTTest } from "../../src/statistics/paired-t";
import { exampleClaim } from "./example-claim";

const difference = { kind: "difference" } as const;
const baseline = [50, 61, 55, 58, 66];
/** About 1 point above the baseline by a t of `t`, 5 seeds. */
function aboveBy(t: number): number[] {
  const spread = [-1, 1, 0, 1, -1]; // mean 0, standard deviation 1
  return baseline.map((value, seed) => value + 1 + (spread[seed]! * Math.sqrt(5)) / t);
}

/** Judges claims by the values of each, by id. */
function judgeBy(claims: readonly Claim[], values: Readonly<Record<string, SeedValues>>): Judgement[] {
  // The rows of a claim name it.
  const named = claims.map((claim) =>
    "estimand" in claim.question
      ? { ...claim, question: { ...claim.question, estimand: { ...claim.question.estimand, rows: [claim.id] } } }
      : claim,
  );
  return judge(named, ({ rows }) => ({ values: values[rows[0]!]! }));
}

function judgeOne(test: ClaimTest, values: SeedValues): Judgement {
  return judgeBy([exampleClaim("a", test)], { a: values })[0]!;
}

describe("judge", () => {
  it("says that a claim is reproduced, that its opposite holds, or that nothing is separated", () => {
    expect(judgeOne(difference, [aboveBy(5), baseline])).toMatchObject({ verdict: "reproduced" });
    expect(judgeOne(difference, [baseline, aboveBy(5)])).toMatchObject({ verdict: "opposite" });
    expect(judgeOne(difference, [aboveBy(1), baseline])).toMatchObject({ verdict: "not separated" });
  });

  it("gives the p of the paired t test where nothing else is tested", () => {
    const values = [aboveBy(5), baseline] as const;
    expect(judgeOne(difference, values)).toHaveProperty("p", pairedTTest(...values).p);
  });

  it("says which difference the seeds could have shown", () => {
    const judged = judgeOne(difference, [aboveBy(1), baseline]);
    // 1.682 standard deviations (SciPy), of which there are sqrt(5).
    expect(judged).toHaveProperty("smallest", expect.closeTo(1.681997282215745 * Math.sqrt(5), 9));
    const worse = judgeOne({ kind: "non-inferiority", margin: 0.5 }, [baseline, aboveBy(1)]);
    expect(worse).toHaveProperty("smallest", expect.closeTo(1.3594179588549478 * Math.sqrt(5) - 0.5, 9));
  });

  it("adjusts within a family, not across families", () => {
    const values = { a: [aboveBy(3), baseline], b: [aboveBy(1), baseline], c: [aboveBy(2), baseline] };
    const p = Object.values(values).map(([above, below]) => pairedTTest(above!, below!).p);
    const of = (families: readonly string[]) =>
      judgeBy(
        ["a", "b", "c"].map((id, index) => exampleClaim(id, difference, families[index])),
        values,
      ).map((judged) => ("p" in judged ? judged.p : NaN));
    expect(of(["Table 1", "Table 1", "Table 1"])).toEqual(holm(p));
    expect(of(["Table 1", "Table 2", "Table 3"])).toEqual(p);
  });

  it("separates no claim of a table that it would separate alone, if it is only just below the level", () => {
    const just = [aboveBy(3), baseline];
    expect(judgeOne(difference, just).verdict).toBe("reproduced");
    const [a] = judgeBy([exampleClaim("a", difference), exampleClaim("b", difference)], {
      a: just,
      b: [aboveBy(0.1), baseline],
    });
    expect(a!.verdict).toBe("not separated");
  });

  it("says why where there are no values, and counts such a claim not as tested", () => {
    const claims = [exampleClaim("a", difference), exampleClaim("b", difference)];
    const [a, b] = judge(claims, (estimand) =>
      estimand === (claims[0]!.question as { estimand: unknown }).estimand
        ? { missing: "m = 0 is not run" }
        : { values: [aboveBy(5), baseline] },
    );
    expect(a).toEqual({ claim: claims[0], verdict: "not run at this scale", reason: "m = 0 is not run" });
    expect(b).toHaveProperty("p", pairedTTest(aboveBy(5), baseline).p);
  });

  it("gives no verdict by fewer than five seeds", () => {
    const four = [aboveBy(5), baseline].map((row) => row.slice(0, 4));
    const { difference: above, low, high } = pairedTTest(four[0]!, four[1]!);
    expect(judgeOne(difference, four)).toMatchObject({
      verdict: "too few seeds",
      evidence: { difference: above, low, high, seeds: 4 },
    });
  });

  it("counts a claim with too few seeds not as tested, and takes the last row above the first of a trend", () => {
    const one = judgeOne({ kind: "trend", margin: 0.5 }, [[50], [51], [53]]);
    expect(one).toMatchObject({ evidence: { difference: 3, low: -Infinity, high: Infinity, seeds: 1 } });
    const [, b] = judgeBy([exampleClaim("a", difference), exampleClaim("b", difference)], {
      a: [[1], [2]],
      b: [aboveBy(5), baseline],
    });
    expect(b).toHaveProperty("p", pairedTTest(aboveBy(5), baseline).p);
  });

  it("passes on what no table has values for", () => {
    const question = { verdict: "not tested", reason: "a definition" } as const;
    const claim = { ...exampleClaim("a", difference), question };
    expect(judgeBy([claim], {})).toEqual([{ claim, ...question }]);
  });
});

/** Simulated tables. */
const tables = process.env["MOCO_TEST_LONG"] ? 10_000 : 500;

/**
 * Shares of simulated tables with a claim reproduced, and with one contradicted. A table has `claims` claims of five seeds;
 * seeds move all rows, and each row has the given level and noise of its own.
 */
function simulate(name: string, test: ClaimTest, levels: readonly number[], claims: number, noise = 1) {
  const ids = Array.from({ length: claims }, (_, index) => String(index));
  const asked = ids.map((id) => exampleClaim(id, test));
  let [reproduced, opposite] = [0, 0];
  for (let table = 0; table < tables; table++) {
    const random = randomStream(table, name);
    const values = Object.fromEntries(ids.map((id) => [id, rowsOf(random, levels, noise)]));
    const verdicts = judgeBy(asked, values).map(({ verdict }) => verdict);
    if (verdicts.includes("reproduced")) reproduced++;
    if (verdicts.includes("opposite")) opposite++;
  }
  return { reproduced: reproduced / tables, opposite: opposite / tables };
}

function rowsOf(random: Random, levels: readonly number[], noise: number): number[][] {
  const seeds = Array.from({ length: 5 }, () => 60 + 3 * random.normal());
  return levels.map((level) => seeds.map((seed) => seed + level + noise * random.normal()));
}

/** Three standard errors of a share. */
const reach = (share: number) => 3 * Math.sqrt((share * (1 - share)) / tables);

describe("simulated tables without an effect", () => {
  const around = (share: number, nominal: number) => expect(Math.abs(share - nominal)).toBeLessThan(reach(nominal));

  it("show a difference in one of forty, and its opposite in as many", () => {
    const { reproduced, opposite } = simulate("difference", difference, [0, 0], 1);
    around(reproduced, 0.025);
    around(opposite, 0.025);
  });

  it("show any of six differences as seldom", () => {
    const { reproduced, opposite } = simulate("six differences", difference, [0, 0], 6);
    const nominal = 1 - (1 - 0.025 / 6) ** 6;
    around(reproduced, nominal);
    around(opposite, nominal);
  });

  it("show non-inferiority in one of twenty where a row is worse by the very margin", () => {
    const { reproduced, opposite } = simulate("inferior", { kind: "non-inferiority", margin: 0.5 }, [-0.5, 0], 1);
    around(reproduced, 0.05);
    around(opposite, 0.05);
  });

  it("show equivalence in one of twenty where rows differ by the very margin", () => {
    const { reproduced, opposite } = simulate("equivalent", { kind: "equivalence", margin: 0.5 }, [0.5, 0], 1, 0.05);
    around(reproduced, 0.05);
    around(opposite, 0.025);
  });

  it("show a trend in one of twenty where the gain is the very margin, and less often where there is none", () => {
    const test = { kind: "trend", margin: 0.5 } as const;
    around(simulate("margin", test, [0, 0.125, 0.25, 0.375, 0.5], 1, 0.005).reproduced, 0.05);
    const { reproduced, opposite } = simulate("no trend", test, [0, 0, 0, 0, 0], 1);
    expect(reproduced).toBeLessThan(0.05);
    expect(opposite).toBeLessThan(0.05);
  });
}, 300_000);
