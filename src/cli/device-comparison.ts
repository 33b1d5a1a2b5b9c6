import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { projectRoot } from "./project";

/** How far two devices may differ: 32-bit sums in another order differ by less, a wrong kernel by more. */
export const relativeTolerance = 1e-3;

/** One training step on one device. */
export interface DeviceStep {
  readonly loss: number;
  /** Gradient with respect to all parameters of the query encoder. */
  readonly gradient: Float32Array;
  /** For each TensorFlow operation of the step, the devices that it ran on: "CPU:0", "GPU:0". */
  readonly placements: ReadonlyMap<string, ReadonlySet<string>>;
  /** Values of the state (weights, velocities, running averages, queue) that were copied to or from the device for it. */
  readonly copies: number;
}

/** The same step on the CPU and on the GPU. */
export interface DeviceComparison {
  readonly lossCpu: number;
  readonly lossGpu: number;
  /** |loss on the GPU - loss on the CPU| / |loss on the CPU|. */
  readonly lossDifference: number;
  /** Euclidean norm of the gradients' difference over that of the CPU's gradient. */
  readonly gradientDifference: number;
  readonly agree: boolean;
  /** Operations of the GPU's step that ran on the host, sorted. */
  readonly fallbacks: readonly string[];
  /** Values of the state that the GPU's step copied: it should stay where it is from step to step. */
  readonly copies: number;
}

/** Runs one training step on the CPU and one on the GPU, and compares them. */
export function compareDevices(): DeviceComparison {
  const cpu = runDeviceStep({ CUDA_VISIBLE_DEVICES: "-1" });
  // TF32, the default of recent GPUs, keeps 10 bits of a factor: too few for this tolerance. It is off for the check.
  const gpu = runDeviceStep({ NVIDIA_TF32_OVERRIDE: "0" });
  return compareSteps(cpu, gpu);
}

/** Compares a step on the CPU with one on the GPU. */
export function compareSteps(cpu: DeviceStep, gpu: DeviceStep): DeviceComparison {
  const lossDifference = Math.abs(gpu.loss - cpu.loss) / Math.abs(cpu.loss);
  const difference = cpu.gradient.map((value, index) => gpu.gradient[index]! - value);
  const gradientDifference = norm(difference) / norm(cpu.gradient);
  return {
    lossCpu: cpu.loss,
    lossGpu: gpu.loss,
    lossDifference,
    gradientDifference,
    // Not true for NaN.
    agree: lossDifference <= relativeTolerance && gradientDifference <= relativeTolerance,
    copies: gpu.copies,
    fallbacks: [...gpu.placements]
      .filter(([, devices]) => [...devices].some((device) => device.startsWith("CPU")))
      .map(([operation]) => operation)
      .sort(),
  };
}

function norm(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}

/**
 * Runs one training step of a small MoCo, always from the same seed, in a process of its own.
 *
 * @param environment - added to this process's environment; CUDA_VISIBLE_DEVICES=-1 hides the GPU
 * @throws Error with TensorFlow's last messages, when the process fails
 */
export function runDeviceStep(environment: Readonly<Record<string, string>>): DeviceStep {
  const folder = mkdtempSync(join(tmpdir(), "moco-kit-doctor-"));
  try {
    const file = join(folder, "step");
    const { status, stderr, error } = spawnSync(process.execPath, [stepProgram, file], {
      encoding: "utf8",
      maxBuffer: 1 << 30,
      // Level 1 of TensorFlow's executor of graphs names the device of each operation that it runs.
      env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: "0", TF_CPP_VMODULE: "executor=1", ...environment },
    });
    if (status !== 0) {
      const messages = stderr.split("\n").filter((line) => !line.includes(" executor.cc:"));
      throw new Error(`Cannot run a training step: ${error?.message ?? messages.slice(-20).join("\n")}`);
    }
    const bytes = readFileSync(file);
    const values = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
    const [loss, copies] = values as unknown as [number, number];
    return { loss, copies, gradient: values.subarray(2), placements: placementsIn(stderr) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

// The compiled program, also where this file runs from its source.
const stepProgram = join(projectRoot, "dist/cli/device-step.js");

/** Reads from TensorFlow's log which devices each operation of the graphs ran on; what only carries values is left out. */
export function placementsIn(log: string): Map<string, Set<string>> {
  const placements = new Map<string, Set<string>>();
  for (const [, operation, device] of log.matchAll(/Process node: .*? = (\w+)\[.* device: \S*device:(\S+)/g)) {
    if (operation!.startsWith("_") || operation === "NoOp") continue;
    const devices = placements.get(operation!) ?? new Set();
    placements.set(operation!, devices.add(device!));
  }
  return placements;
}
