import { Command } from "commander";
import { findDataSets, type DataSetFinding } from "../data/load";
import type { MachineFacts } from "../engine/device";
import { compareDevices, relativeTolerance, type DeviceComparison } from "./device-comparison";

interface DoctorFlags {
  readonly gpu?: boolean;
  readonly json?: boolean;
}

/** `moco doctor`: says what the machine and the engine are; with --gpu, checks the GPU against the CPU. */
export function doctorCommand(): Command {
  return new Command("doctor")
    .description("print what the kit found on this machine")
    .option("--gpu", "run one training step on the CPU and one on the GPU, and compare them")
    .option("--json", "print JSON")
    .action(async ({ gpu, json }: DoctorFlags) => {
      // Here, since it loads TensorFlow.
      const { machineFacts } = await import("../engine/device.js");
      const facts = machineFacts();
      const dataSets = await findDataSets();
      const comparison = gpu && facts.gpu.used ? compareDevices() : undefined;
      if (json) console.log(JSON.stringify({ ...facts, dataSets, comparison }, null, 2));
      else console.log([describeFacts(facts, dataSets), ...(comparison ? ["", describe(comparison)] : [])].join("\n"));
      if (gpu && !facts.gpu.used) console.error(`Cannot check the GPU: none is in use, ${facts.gpu.reason}`);
      if (gpu && !comparison?.agree) process.exitCode = 1;
    });
}

/** The facts as lines of text. */
export function describeFacts(facts: MachineFacts, dataSets: readonly DataSetFinding[]): string {
  const { cpu, gpu } = facts;
  const rows: [string, string][] = [
    ["Node", `${facts.node} (${facts.platform})`],
    ["TensorFlow", facts.tensorflow],
    ["device", facts.device],
    ["CPU", `${cpu.model}, ${cpu.cores} cores`],
    ["CPU features", cpu.features.join(" ") || "unknown"],
    ["oneDNN", `${cpu.oneDnn.on ? "on" : "off"}, ${cpu.oneDnn.reason}`],
    ["GPU", gpu.used ? `${gpu.name}, driver ${gpu.driver}` : `none: ${gpu.reason}`],
    ["memory", `${gigabytes(facts.memory.free)} of ${gigabytes(facts.memory.total)} free`],
    ["disk", `${gigabytes(facts.disk.free)} of ${gigabytes(facts.disk.total)} free`],
    ...dataSets.map(({ name, found, detail }): [string, string] => [
      `data ${name}`,
      found ? detail : `not found: ${detail}`,
    ]),
  ];
  const width = Math.max(...rows.map(([name]) => name.length)) + 2;
  return rows.map(([name, value]) => name.padEnd(width) + value).join("\n");
}

function describe(comparison: DeviceComparison): string {
  const { lossCpu, lossGpu, lossDifference, gradientDifference, agree, fallbacks, copies } = comparison;
  return [
    `One training step, ${agree ? "the devices agree" : "the devices DISAGREE"} (relative difference up to ${relativeTolerance}, TF32 off)`,
    `  loss      CPU ${lossCpu.toPrecision(7)}, GPU ${lossGpu.toPrecision(7)}, relative difference ${lossDifference.toExponential(1)}`,
    `  gradient  relative difference ${gradientDifference.toExponential(1)}`,
    `  operations of the GPU's step that ran on the CPU: ${fallbacks.join(", ") || "none"}`,
    `  values of the state (weights, velocities, queue) copied between steps: ${copies || "none"}`,
  ].join("\n");
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
