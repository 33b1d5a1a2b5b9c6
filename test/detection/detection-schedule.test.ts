import { describe, expect, it } from "vitest";
import { detectionPreset } from "../../src/recipes/detection-presets";
import { detectionRateAt } from "../../src/detection/detection-schedule";

// PyTorch 2.6's rates for pascal_voc_R_50_C4_24k, by the product of its two schedules:
//   optimizer = torch.optim.SGD([parameter], lr=0.02)
//   schedule = ChainedScheduler([LinearLR(optimizer, start_factor=1 / 1000, total_iters=100),
//                                MultiStepLR(optimizer, [18000, 22000], gamma=0.1)])
const expected: readonly (readonly [iteration: number, rate: number])[] = [
  [0, 2e-5],
  [1, 0.0002198],
  [50, 0.01001],
  [99, 0.0198002],
  [100, 0.02],
  [101, 0.02],
  [17999, 0.02],
  [18000, 0.002],
  [21999, 0.002],
  [22000, 0.0002],
  [23999, 0.0002],
];

describe("detectionRateAt", () => {
  it.each(expected)("gives PyTorch's rate at iteration %i of the VOC schedule", (iteration, rate) => {
    const { schedule, learningRate } = detectionPreset("pascal_voc_R_50_C4_24k");
    expect(detectionRateAt(schedule, learningRate, iteration) / rate).toBeCloseTo(1, 12);
  });

  it("starts with the whole rate without a warm-up", () => {
    expect(detectionRateAt({ iterations: 10, warmup: 0, milestones: [5] }, 0.1, 0)).toBe(0.1);
  });

  it("multiplies warm-up and milestones where they overlap", () => {
    const schedule = { iterations: 10, warmup: 10, milestones: [5] };
    expect(detectionRateAt(schedule, 1, 5)).toBeCloseTo(0.1 * (0.001 * 0.5 + 0.5), 12);
  });
});
