import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { claimsOf } from "../../src/claims/claims";
import type { Claim, Estimand } from "../../src/claims/claim";
import { measuresOf } from "../../src/detection/metric/detection-metrics";
import type { Ablation } from "../../src/experiments/ablation/ablation";
import { encoderComparison } from "../../src/experiments/linear-evaluation/encoder-comparison";
import { linearEvaluation } from "../../src/experiments/linear-evaluation/linear-evaluation";
import { mechanismAblation } from "../../src/experiments/mechanisms/mechanisms";
import { momentumAblation } from "../../src/experiments/ablation/momentum";
import { presetNamed } from "../../src/recipes/presets";
import { queueSizeAblation } from "../../src/experiments/ablation/queue-size";
import { trainingLengths } from "../../src/experiments/ablation/training-length";
import { transferNamed } from "../../src/experiments/transfer/transfer";

const preset = presetNamed("quick");
const claims = claimsOf(preset);
const asked = claims.flatMap(({ id, question }) => ("estimand" in question ? [{ id, ...question }] : []));

function claim(id: string): Claim {
  return claims.find((one) => one.id === id)!;
}

function tableOf({ table }: Extract<Estimand, { kind: "ablation" }>): Ablation {
  const rates = { moco: 0.01, "memory-bank": 0.01, "end-to-end": 0.01, simclr: 0.01 };
  return {
    "queue-size": queueSizeAblation(preset),
    momentum: momentumAblation(preset),
    mechanisms: mechanismAblation(preset, rates),
    "linear-evaluation": linearEvaluation(preset),
    encoders: encoderComparison(preset),
    "training-length": trainingLengths(preset),
  }[table];
}

describe("claimsOf", () => {
  it("has every claim and every doubt of docs/claims.md, and no other under such a name", () => {
    const listed = readFileSync(join(__dirname, "..", "..", "docs", "claims.md"), "utf8").match(/^\| [SD]\d+/gm)!;
    expect(listed).toHaveLength(17);
    const own = claims.filter(({ by }) => by !== "paper").map(({ id }) => id.split("-")[0]!);
    expect([...new Set(own)].sort()).toEqual(listed.map((line) => line.slice(2)).sort());
  });

  it("names each claim once", () => {
    expect(new Set(claims.map(({ id }) => id)).size).toBe(claims.length);
  });

  it.each(asked)("asks $id of rows that its table has, by a measure that they have", ({ estimand }) => {
    if (estimand.kind === "ablation") {
      const labels = tableOf(estimand).cells.map(({ label }) => label);
      expect(labels).toEqual(expect.arrayContaining([...estimand.rows]));
    } else {
      const { rows } = transferNamed(estimand.table);
      expect(rows.map(({ label }) => label)).toEqual(expect.arrayContaining([...estimand.rows]));
      expect(measuresOf(rows[0]!.detection)).toContain(estimand.metric);
    }
  });

  it("puts the rows in the order that is claimed: two of them, or a trend of three and more", () => {
    for (const { id, estimand, test } of asked) {
      const { length } = new Set(estimand.rows).size === estimand.rows.length ? estimand.rows : [];
      expect(test.kind === "trend" ? length >= 3 : length === 2, id).toBe(true);
    }
    expect(asked.find(({ id }) => id === "S5")!.estimand.rows).toEqual([
      "K = 128",
      "K = 256",
      "K = 512",
      "K = 1024",
      "K = 2048",
    ]);
  });

  it("asks no question twice: a table would be adjusted for more tests than it has", () => {
    const questions = asked.map(({ estimand, test }) => JSON.stringify([estimand, test]));
    expect(new Set(questions).size).toBe(questions.length);
  });

  it("adjusts claims of one table together", () => {
    const families = new Map(claims.map(({ id, family }) => [id, family]));
    expect(["S5", "S7-bank", "small-dictionary"].map((id) => families.get(id))).toEqual(Array(3).fill("Figure 3"));
    expect(families.get("D1")).toBe(families.get("S10-voc"));
    expect(families.get("S4-boxes")).toBe("Table 5");
  });

  // Typed from the paper once more.
  it.each([
    ["S5", 4.3, "59.0 (K = 4,096) against 54.7 (K = 256)"],
    ["S7-batch", 2.7, "59.0 (K = 4,096) against 56.3 (K = 512)"],
    ["S7-bank", 2.5, "59.0 (K = 4,096) against 56.5 (K = 4,096)"],
    ["small-dictionary", -0.2, "54.7 (K = 256) against 54.9 (K = 256)"],
    ["S6", 3.8, "59.0 against 55.2"],
    ["no-momentum", undefined, "55.2 against fail"],
    ["S1", 60.6, "60.6 (K = 65,536, m = 0.999)"],
    ["S2", 8.7, "69.3 against 60.6"],
    ["wider", 4.8, "65.4 against 60.6"],
    ["resnext", 3.3, "63.9 against 60.6"],
    ["longer", 3.6, "71.1 against 67.5"],
    ["linear-gap", 15.9, "76.5 against 60.6"],
    ["D1", 0.2, "81.5 against 81.3"],
    ["S3", 2.4, "55.9 against 53.5"],
    ["close-boxes", 3.8, "62.6 against 58.8"],
    ["voc-scratch", 22.1, "55.9 against 33.8"],
    ["voc-end-to-end-ap", 1.3, "55.9 against 54.6"],
    ["voc-memory-bank-ap50", 0.9, "81.5 against 80.6"],
    ["S4-boxes", -0.4, "38.5 against 38.9"],
    ["S4-masks", -0.3, "35.1 against 35.4"],
    ["D2-m", 2.6, "57.8 against 55.2"],
  ])("sets %s beside what the paper prints", (id, points, text) => {
    expect(claim(id).reference).toEqual({ points, printed: text });
  });

  it("says why where it has no rows for a claim", () => {
    for (const { id, question } of claims) {
      if (!("estimand" in question)) expect(question.reason, id).not.toBe("");
    }
    expect(claim("S9").question).toMatchObject({ verdict: "not tested" });
  });

  it("refuses a preset whose tables show no trend", () => {
    expect(() => claimsOf(presetNamed("smoke"))).toThrow(
      "at preset smoke: it must have three sizes of a dictionary or more, current count is 1",
    );
  });
});
