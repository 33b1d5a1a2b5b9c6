import { describe, expect, it } from "vitest";
import { compareSteps, placementsIn, runDeviceStep, type DeviceStep } from "../../src/cli/device-comparison";

function step(loss: number, gradient: readonly number[], placements: DeviceStep["placements"] = new Map()): DeviceStep {
  return { loss, gradient: Float32Array.from(gradient), placements, copies: 0 };
}

describe("compareSteps", () => {
  it("agrees up to a relative difference of 1e-3", () => {
    const cpu = step(2, [3, 4]);
    const near = compareSteps(cpu, step(2.001, [3.0015, 4.002]));
    expect(near.agree).toBe(true);
    expect(near.lossDifference).toBeCloseTo(5e-4, 6);
    expect(near.gradientDifference).toBeCloseTo(5e-4, 6);
    expect(compareSteps(cpu, step(2.003, [3, 4])).agree).toBe(false);
    expect(compareSteps(cpu, step(2, [3, 4.01])).agree).toBe(false);
  });

  it("never agrees with a loss or a gradient that is not a number", () => {
    expect(compareSteps(step(2, [3, 4]), step(NaN, [3, 4])).agree).toBe(false);
    expect(compareSteps(step(2, [3, 4]), step(2, [3, NaN])).agree).toBe(false);
  });

  it("lists the operations of the GPU's step that ran on the host", () => {
    const placements = new Map([
      ["Conv2D", new Set(["GPU:0"])],
      ["Tile", new Set(["GPU:0", "CPU:0"])],
      ["IsNan", new Set(["CPU:0"])],
    ]);
    expect(compareSteps(step(2, [3]), step(2, [3], placements)).fallbacks).toEqual(["IsNan", "Tile"]);
  });
});

describe("placementsIn", () => {
  it("reads TensorFlow's log", () => {
    const log = [
      "I0000 00:00:1.0 1 executor.cc:879] Process node: 0 step 1 {{node _SOURCE}} = NoOp[]() device: /job:localhost/replica:0/task:0/device:CPU:0",
      'I0000 00:00:1.0 1 executor.cc:879] Process node: 5 step 3 {{node f0_1}} = Sum[T=DT_FLOAT, _device="/device:GPU:0"](f0_0) device: /job:localhost/replica:0/task:0/device:GPU:0',
      'I0000 00:00:1.0 1 executor.cc:879] Process node: 9 step 3 {{node f0_2}} = Sum[T=DT_FLOAT, _device="/device:CPU:0"](f0_1) device: /job:localhost/replica:0/task:0/device:CPU:0',
      "I0000 00:00:1.0 1 executor.cc:879] Process node: 11 step 3 {{node r}} = _Retval[index=1](f0_2) device: /job:localhost/replica:0/task:0/device:CPU:0",
    ].join("\n");
    expect(placementsIn(log)).toEqual(new Map([["Sum", new Set(["GPU:0", "CPU:0"])]]));
  });
});

describe("runDeviceStep", () => {
  it("agrees between TensorFlow's two CPU implementations, and says where each operation ran", () => {
    const oneDnn = runDeviceStep({ CUDA_VISIBLE_DEVICES: "-1", TF_ENABLE_ONEDNN_OPTS: "1" });
    const eigen = runDeviceStep({ CUDA_VISIBLE_DEVICES: "-1", TF_ENABLE_ONEDNN_OPTS: "0" });
    expect(eigen.gradient).not.toEqual(oneDnn.gradient); // other kernels, other rounding
    expect(compareSteps(eigen, oneDnn)).toMatchObject({ agree: true });
    expect([...eigen.placements.keys()]).toEqual(
      expect.arrayContaining(["Conv2D", "FusedBatchNormGradV3", "ReluGrad"]),
    );
    expect([oneDnn.copies, eigen.copies]).toEqual([0, 0]);
    expect(new Set([...eigen.placements.values()].flatMap((devices) => [...devices]))).toEqual(new Set(["CPU:0"]));
  });
});
