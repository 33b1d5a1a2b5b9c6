import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { claimsOf } from "../../src/claims/claims";
import type { Judgement } from "../../src/claims/judge";
import type { RecordedJudgement } from "../../src/report/recorded-judgements";
import { recordedRuns } from "../../src/runs/run-store";
import { presetNamed } from "../../src/recipes/presets";
import { queueSizeAblation } from "../../src/experiments/ablation/queue-size";
import { moco } from "./moco";

const preset = presetNamed("quick");

/** Linear accuracies of a recorded row in percent, seeds 1 to 5, by the files alone. */
function recorded(cell: number): number[] {
  const { recipe } = queueSizeAblation(preset).cells.at(cell)!;
  return [1, 2, 3, 4, 5].map((seed) => {
    const run = JSON.parse(readFileSync(recordedRuns(preset).run(recipe, seed)!, "utf8")) as {
      readonly evaluation: { readonly linear: { readonly accuracy: number } };
    };
    return 100 * run.evaluation.linear.accuracy;
  });
}

describe("moco claims", () => {
  it("judges every claim by the recorded runs, or says why not", async () => {
    const { code, stdout } = await moco("claims", "--json");
    expect(code).toBe(0);
    const judged = JSON.parse(stdout) as RecordedJudgement[];
    const ids = new Set(judged.map(({ claim }) => claim.id));
    expect([...ids]).toEqual(claimsOf(preset).map(({ id }) => id));
    expect(new Set(judged.flatMap((one) => one.preset ?? []))).toEqual(new Set(["quick", "small"]));
    for (const one of judged) expect("reason" in one ? one.reason : one.evidence.seeds, one.claim.id).toBeTruthy();

    const [smallest, largest] = [recorded(0), recorded(-1)];
    const gain = largest.reduce((sum, value, seed) => sum + (value - smallest[seed]!) / 5, 0);
    const s5 = judged.find(({ claim, preset: name }) => claim.id === "S5" && name === "quick")!;
    expect(s5).toMatchObject({ evidence: { seeds: 5, difference: expect.closeTo(gain, 9) as number } });
  });

  it("judges your own runs as well, as many as there are", async () => {
    const { code, stdout } = await moco("claims", "--own", "--json");
    expect(code).toBe(0);
    const judged = JSON.parse(stdout) as Judgement[];
    expect(judged.map(({ claim }) => claim.id)).toEqual(claimsOf(preset).map(({ id }) => id));
  });

  it("judges by the runs of one preset alone, where it is named", async () => {
    const { code, stdout } = await moco("claims", "--preset", "small", "--json");
    expect(code).toBe(0);
    const judged = JSON.parse(stdout) as RecordedJudgement[];
    expect(new Set(judged.flatMap((one) => one.preset ?? []))).toEqual(new Set(["small"]));
    expect(judged.find(({ claim }) => claim.id === "S6")).toMatchObject({ preset: "small", verdict: "reproduced" });
  });

  it("prints a table with the reasons below it", async () => {
    const { code, stdout } = await moco("claims");
    expect(code).toBe(0);
    expect(stdout).toContain("MoCo's accuracy rises steadily with the size K of the queue.");
    expect(stdout).toMatch(/^D6: out of scope\.$/m);
  });

  it("refuses a preset that is too small for the claims", async () => {
    const { code, stdout, stderr } = await moco("claims", "--preset", "smoke");
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("Cannot ask the claims at preset smoke: it must have three sizes of a dictionary or more");
  });
});
