import { describe, expect, it } from "vitest";
import { InputError, InterruptedError } from "../../../src/errors";
import { estimateAll, type EstimatedTraining } from "../../../src/experiments/cost/estimate-all";
import type { PlannedTraining } from "../../../src/experiments/cost/planned-training";
import { tinyDetector, tinyPretraining } from "./tiny-training";

const never = new AbortController().signal;

const costIn = ({ outcome }: EstimatedTraining) => {
  if ("failure" in outcome) throw new Error(outcome.failure);
  return outcome.cost;
};

describe("estimateAll", () => {
  it("measures trainings that differ in length once, and goes on after one that fails", async () => {
    const twice = tinyDetector();
    const longer = {
      ...twice,
      recipe: { ...twice.recipe, name: "longer", schedule: { iterations: 600, warmup: 2, milestones: [] } },
    } as PlannedTraining;
    // Refused when it starts: the head has as many classes as the preset's images, the set has three.
    const impossible = tinyPretraining("supervised");
    const measured: string[] = [];
    const results = await estimateAll([twice, impossible, longer], {
      batches: "full",
      stop: never,
      onMeasure: ({ recipe }) => measured.push(recipe.name),
    });
    expect(measured).toEqual(["tiny", impossible.recipe.name]);
    const [first, , last] = results;
    expect(costIn(last!).seconds).toBeCloseTo(100 * costIn(first!).seconds, 9);
    expect(costIn(first!)).toMatchObject({ extrapolated: false, measured: [{ batchSize: 2 }] });
    expect(results[1]!.outcome).toEqual({
      failure: expect.stringMatching(/^batch 8: Cannot train a classifier/) as string,
    });
  });

  it("refuses a batch that a recipe cannot have, before it measures", async () => {
    const options = { batches: [4, 6], stop: never, onMeasure: () => expect.unreachable() };
    await expect(estimateAll([tinyDetector(), tinyPretraining("moco")], options)).rejects.toThrow(InputError);
  });

  it("stops in the middle of a measurement", async () => {
    const controller = new AbortController();
    const estimate = estimateAll([tinyPretraining("moco")], {
      batches: "full",
      stop: controller.signal,
      onMeasure: () => setTimeout(() => controller.abort(), 100),
    });
    await expect(estimate).rejects.toThrow(InterruptedError);
  });
});
