import { describe, expect, it } from "vitest";
import { momentumAblation } from "../../src/experiments/ablation/momentum";
import { presetNamed } from "../../src/recipes/presets";
import { compareRuns, sample } from "../../src/verify/rerun";
import { exampleRun } from "../runs/example-run";

const { recipe } = momentumAblation(presetNamed("smoke")).cells[0]!;

describe("compareRuns", () => {
  it("takes another encoder of the same accuracy, with what it came to", () => {
    const [finding] = compareRuns("a.json", exampleRun(recipe, 1, 20), exampleRun(recipe, 1, 20));
    expect(finding).toEqual({
      level: "note",
      where: "a.json",
      what: expect.stringMatching(
        /linear probe \+0\.0 \[\+0\.0, \+0\.0\].*; recorded on CPU \(a processor, 2 cores\) by TensorFlow .*; here CPU/,
      ) as string,
    });
  });

  it("finds one that is better or worse by more than chance, and one that diverged", () => {
    for (const right of [4, 36]) {
      expect(compareRuns("a.json", exampleRun(recipe, 1, 20), exampleRun(recipe, 1, right))).toEqual([
        expect.objectContaining({ level: "fault", what: expect.stringContaining("more than chance") as string }),
      ]);
    }
    const diverged = { ...exampleRun(recipe, 1, 20), evaluation: undefined, diverged: "at step 3" };
    expect(compareRuns("a.json", exampleRun(recipe, 1, 20), diverged)[0]!.what).toBe(
      "trained again, it diverged: at step 3",
    );
  });
});

describe("sample", () => {
  it("draws each once, and all where more are asked for", () => {
    expect(new Set(sample([1, 2, 3, 4, 5], 3)).size).toBe(3);
    expect([...sample([1, 2, 3], 9)].sort()).toEqual([1, 2, 3]);
  });
});
