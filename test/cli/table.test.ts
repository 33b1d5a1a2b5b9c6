import { describe, expect, it } from "vitest";
import { tableCommand, tableJson } from "../../src/cli/table";
import { ablations } from "../../src/report/ablations";
import { InputError } from "../../src/errors";
import { presetNamed } from "../../src/recipes/presets";
import { ablationResult } from "../../src/experiments/ablation/ablation-result";
import { exampleBaselines, exampleRun } from "../runs/example-run";

describe("moco table", () => {
  it("says what to do where no run is recorded", async () => {
    // Runs of the smoke preset are never recorded.
    const table = tableCommand().parseAsync(["momentum", "--preset", "smoke", "--recorded"], { from: "user" });
    await expect(table).rejects.toThrow(InputError);
    await expect(table).rejects.toThrow(/no runs of preset smoke are recorded. Leave out --recorded/);
  });

  it("has the paper's own rows, and says what does not go with them", async () => {
    const refused = (...words: readonly string[]) => expect(tableCommand().parseAsync(words, { from: "user" })).rejects;
    await refused("encoders", "--preset", "paper").toThrow(
      /own rows are mechanisms, linear-evaluation, queue-size, momentum/,
    );
    await refused("momentum", "--preset", "paper", "--recorded").toThrow(/nothing of it is recorded/);
    await refused("momentum", "--data", "folder:imagenet").toThrow(/it belongs to --preset paper/);
  });

  it("prints as JSON what a script wants: numbers and manifests, no curves and no single images", () => {
    const ablation = ablations["queue-size"](presetNamed("smoke"), [])!;
    const [first] = ablation.cells;
    const run = exampleRun(first!.recipe, 1, 30);
    const evaluated = exampleBaselines(presetNamed("smoke").base.encoder, [8], 20);
    const json = JSON.stringify(tableJson(ablationResult(ablation, [[run], []], evaluated)));
    expect(JSON.parse(json)).toMatchObject({
      ablation: "queue-size",
      reference: "K = 64",
      rows: [
        {
          label: "K = 64",
          seeds: 1,
          metrics: { knn: { mean: 0.75, kind: "test sampling" } },
          manifests: [run.manifest],
        },
        { label: "K = 128", seeds: 0, failure: "not run yet", manifests: [] },
      ],
      baselines: { pixels: { metrics: { knn: { mean: 0.5 } } } },
    });
    expect(json).not.toContain('"curve"');
    expect(json).not.toContain('"correct"');
  });
});
