import { describe, expect, it } from "vitest";
import { learningRateAt, type Schedule } from "../../src/train/schedule";
import { relativeError } from "../engine/double-precision";
import fixture from "./fixtures/pytorch.json";

const rates = (schedule: Schedule) =>
  Array.from({ length: 200 }, (_, epoch) => learningRateAt(schedule, 0.03, epoch, 200));

describe("the learning rate at each of 200 epochs", () => {
  it("falls tenfold at epochs 120 and 160 for MoCo v1, as PyTorch's MultiStepLR", () => {
    const v1 = rates({ kind: "step", milestones: [120, 160], factor: 0.1 });
    expect(relativeError(v1, fixture.schedules.step)).toBeLessThan(1e-12);
    expect([v1[0], v1[119]]).toEqual([0.03, 0.03]);
    expect(relativeError([v1[120]!, v1[159]!, v1[160]!, v1[199]!], [0.003, 0.003, 0.0003, 0.0003])).toBeLessThan(1e-12);
  });

  it("follows half a cosine for MoCo v2, as PyTorch's CosineAnnealingLR", () => {
    const v2 = rates({ kind: "cosine" });
    expect(relativeError(v2, fixture.schedules.cosine)).toBeLessThan(1e-12);
    expect(v2[0]).toBe(0.03);
    expect(v2[100]).toBeCloseTo(0.015, 12);
  });
});
