import { describe, expect, it } from "vitest";
import type { Claim, ClaimTest } from "../../src/claims/claim";
import { judge } from "../../src/claims/judge";
import { claimNotes, claimRows, claimTable } from "../../src/report/claim-rows";
import { exampleClaim } from "../claims/example-claim";

const difference = { kind: "difference" } as const;
const baseline = [50, 61, 55, 58, 66];
const above = baseline.map((value, seed) => value + 2 + [-0.1, 0.1, 0, 0.1, -0.1][seed]!);
const near = baseline.map((value, seed) => value + [-1, 1, 0, 1, -1][seed]!);

function rowOf(claim: Claim, values: readonly number[][]) {
  return claimRows(judge([claim], () => ({ values })))[0]!;
}

describe("claimRows", () => {
  it("show what is claimed, what the paper prints, what came out, and the verdict", () => {
    expect(rowOf(exampleClaim("slow-keys", difference), [above, baseline])).toEqual({
      claim: "slow-keys",
      statement: "claim slow-keys",
      by: "paper",
      published: "Table 1\n57.8 against 55.2: +2.6",
      test: "difference",
      here: "+2.0 [+1.9, +2.1]\n5 seeds, p < 0.001",
      verdict: "reproduced",
    });
  });

  it("say from which difference on it would have been shown, where nothing is separated", () => {
    const row = rowOf(exampleClaim("a", { kind: "non-inferiority", margin: 0.5 }), [near, baseline]);
    expect(row["test"]).toBe("not worse, margin 0.5");
    expect(row["here"]).toMatch(/^\+0\.0 \[−1\.2, \+1\.2\]\n5 seeds, p = 0\.1/);
    // 1.36 standard deviations of 1, less the margin.
    expect(row["verdict"]).toBe("not separated;\nshown from +0.9");
  });

  it("show how far rows are apart with fewer seeds than a verdict takes", () => {
    const row = rowOf(exampleClaim("a", difference), [above.slice(0, 2), baseline.slice(0, 2)]);
    expect(row).toMatchObject({ here: "+2.0 [+0.7, +3.3]\n2 seeds", verdict: "too few seeds" });
    const one = rowOf(exampleClaim("a", difference), [[52], [50]]);
    expect(one).toMatchObject({ here: "+2.0\n1 seed", verdict: "too few seeds" });
  });

  it("print what the paper has where it is no difference", () => {
    const published = (reference: Claim["reference"]) =>
      rowOf({ ...exampleClaim("a", difference), reference }, [above, baseline])["published"];
    expect(published(undefined)).toBe("Table 1\n–");
    expect(published({ points: undefined, printed: "55.2 against fail" })).toBe("Table 1\n55.2 against fail");
    expect(published({ points: 60.6, printed: "60.6 (K = 65,536)" })).toBe("Table 1\n60.6 (K = 65,536)");
  });

  it("break long statements between words", () => {
    const statement = Array.from({ length: 30 }, () => "word").join(" ");
    const lines = rowOf({ ...exampleClaim("a", difference), statement }, [above, baseline])["statement"]!.split("\n");
    expect(lines).toHaveLength(3);
    expect(lines.join(" ")).toBe(statement);
    expect(lines.every((line) => line.length <= 60)).toBe(true);
  });
});

describe("claimNotes", () => {
  const ids = ["S1", "S2", "S3"];
  const judged = judge(
    ids.map((id) => exampleClaim(id, difference, id)),
    () => ({ missing: "it is not run" }),
  );

  it("give one reason for all claims that share it", () => {
    expect(claimNotes(judged).at(-1)).toBe("S1, S2, S3: it is not run.");
  });

  it("say what a trend is, and from where on a difference is shown, where that stands in the table", () => {
    const notes = (test: ClaimTest, values: readonly number[][]) =>
      claimNotes(judge([exampleClaim("a", test)], () => ({ values }))).join("\n");
    expect(notes(difference, [above, baseline])).not.toMatch(/^Rises|^Shown from/m);
    expect(notes(difference, [near, baseline])).toMatch(/^Shown from/m);
    expect(notes({ kind: "trend", margin: 0.5 }, [baseline, above, above])).toMatch(/^Rises/m);
  });

  it("stand below the table", () => {
    const lines = claimTable(judged).split("\n");
    expect(lines.at(-1)).toBe("S1, S2, S3: it is not run.");
    expect(lines.filter((line) => line.includes("not run at this scale"))).toHaveLength(3);
  });
});
