import { describe, expect, it } from "vitest";
import { costOf } from "../../../src/experiments/cost/estimate-training";
import type { MeasuredStep } from "../../../src/experiments/cost/measure-step";
import { trainingsNamed } from "../../../src/experiments/cost/planned-training";
import { planOf } from "../../../src/experiments/cost/training-plan";
import { costTable, duration, planTable } from "../../../src/experiments/cost/estimate-rows";

const [training] = trainingsNamed(["moco-v1-imagenet"]);
const machine = { cpu: "a processor", cores: 2 };
const step = (batchSize: number): MeasuredStep => ({
  batchSize,
  secondsAStep: batchSize / 2,
  cores: 1.9,
  timedSteps: 3,
  loss: 1,
  startBytes: 1,
  heldBytes: 1,
  peakBytes: batchSize * 1e8,
});

describe("planTable", () => {
  it("has what is known before a step is taken", () => {
    const table = planTable([planOf(training!)]);
    for (const text of ["1,281,167", "1,000,800", "256,204,800", "224 × 224", "23.8 M", "0.03 to 0.0003"]) {
      expect(table).toContain(text);
    }
  });
});

describe("costTable", () => {
  it("says what was measured and what is extrapolated", () => {
    const cost = costOf(training!, [step(8), step(16)]);
    const table = costTable([{ training: training!, outcome: { cost, device: "CPU" } }], machine);
    expect(table).toContain("batch 8: 4.00 s on 1.90 cores, 0.800 GB");
    expect(table).toContain("≈ 128");
    expect(table).toContain("≈ 4.06 years");
    expect(table).toContain("≈ 25.6 GB");
    expect(table).toContain("2 cores of a processor");
  });

  it("marks nothing as extrapolated that was measured, and says that a GPU's memory is not known", () => {
    const cost = costOf(training!, [step(256)]);
    const table = costTable([{ training: training!, outcome: { cost, device: "a GPU" } }], machine);
    expect(table).not.toContain("≈");
    expect(table).toContain("Measured on a GPU");
    expect(table).toContain("of the GPU's is needed is not known");
  });

  it("has a failure in its row", () => {
    const table = costTable([{ training: training!, outcome: { failure: "batch 8: killed" } }], machine);
    expect(table).toContain("failed: batch 8: killed");
  });
});

describe("duration", () => {
  it("takes the unit of which there are two at least", () => {
    const values = [1.5, 119, 120, 7199, 7200, 86400 * 1.9, 86400 * 2, 86400 * 730, 86400 * 731].map(duration);
    expect(values).toEqual([
      "1.50 seconds",
      "119 seconds",
      "2.00 minutes",
      "120 minutes",
      "2.00 hours",
      "45.6 hours",
      "2.00 days",
      "730 days",
      "2.00 years",
    ]);
  });
});
