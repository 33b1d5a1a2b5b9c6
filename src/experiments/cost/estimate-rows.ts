import type { EstimatedTraining } from "./estimate-all";
import type { MeasuredStep } from "./measure-step";
import { planOf, type TrainingPlan } from "./training-plan";
import type { TextRow } from "../../display/table";
import { textTable } from "../../display/table";

/** The machine that steps were measured on. */
export interface MeasuringMachine {
  readonly cpu: string;
  readonly cores: number;
}

/** What trainings amount to, as text for the terminal. */
export function planTable(plans: readonly TrainingPlan[]): string {
  return textTable(plans.map(planRow));
}

function planRow(plan: TrainingPlan): TextRow {
  const { size, rates } = plan;
  return {
    recipe: plan.name,
    images: count(plan.images),
    batch: count(plan.batchSize),
    iterations: count(plan.iterations),
    epochs: Number.isInteger(plan.epochs) ? count(plan.epochs) : plan.epochs.toFixed(1),
    "images seen": count(plan.imagesSeen),
    "px, at most": `${size.height} × ${size.width}`,
    parameters: `${(plan.parameters / 1e6).toFixed(1)} M`,
    "rate, first to last": `${rate(rates.first)} to ${rate(rates.last)}`,
  };
}

/** What trainings would cost, as text for the terminal, with notes on how that is known. */
export function costTable(estimated: readonly EstimatedTraining[], machine: MeasuringMachine): string {
  return [textTable(estimated.map(costRow)), ...costNotes(estimated, machine)].join("\n");
}

function costRow({ training, outcome }: EstimatedTraining): TextRow {
  const { name, batchSize, iterations } = planOf(training);
  const head = { recipe: name, batch: count(batchSize), iterations: count(iterations) };
  if ("failure" in outcome) {
    return { ...head, measured: `failed: ${outcome.failure}`, "s a step": "–", "whole training": "–", memory: "–" };
  }
  const { cost } = outcome;
  const about = cost.extrapolated ? "≈ " : "";
  return {
    ...head,
    measured: cost.measured.map((step) => `batch ${step.batchSize}: ${stepText(step)}`).join("\n"),
    "s a step": `${about}${digits(cost.secondsAStep)}`,
    "whole training": `${about}${duration(cost.seconds)}`,
    memory: `${about}${gigabytes(cost.peakBytes)}`,
  };
}

/** "4.10 s on 1.85 cores, 2.30 GB". */
export function stepText({ secondsAStep, cores, peakBytes }: MeasuredStep): string {
  return `${digits(secondsAStep)} s on ${cores.toFixed(2)} cores, ${gigabytes(peakBytes)}`;
}

function costNotes(estimated: readonly EstimatedTraining[], { cpu, cores }: MeasuringMachine): string[] {
  const done = estimated.flatMap(({ outcome }) => ("cost" in outcome ? [outcome] : []));
  if (done.length === 0) return [];
  const devices = [...new Set(done.map(({ device }) => device))];
  return [
    `Measured on ${devices.map((device) => (device === "CPU" ? `${cores} cores of ${cpu}` : device)).join(" and ")}: ` +
      "the median of a few training steps on random images, each batch in a process of its own; every loss was finite. Where " +
      "a step had few of the cores, the machine was busy and the times are too long.",
    ...(done.some(({ cost }) => cost.extrapolated)
      ? [
          "≈: extrapolated to the recipe's batch, on the line through the two measured ones; from one, time is in proportion to it, " +
            "and so is the memory above what there was before the first step.",
        ]
      : []),
    "Whole training: step times iterations, without reading files, precise BN and evaluation.",
    devices.every((device) => device === "CPU")
      ? "Memory: peak of the process."
      : "Memory: peak of the process on the host; how much of the GPU's is needed is not known.",
  ];
}

/** "1,000,800". */
function count(value: number): string {
  return value.toLocaleString("en-US");
}

/** Three significant digits, all of what stands before the point. */
function digits(value: number): string {
  return value >= 100 ? count(Math.round(value)) : value.toPrecision(3);
}

function rate(value: number): string {
  return String(Number(value.toPrecision(2)));
}

function gigabytes(bytes: number): string {
  return `${digits(bytes / 1e9)} GB`;
}

/** "35.0 minutes", "12.3 hours", "53 days", "2.1 years". */
export function duration(seconds: number): string {
  const units = [
    ["years", 365.25 * 86400],
    ["days", 86400],
    ["hours", 3600],
    ["minutes", 60],
  ] as const;
  const [unit, length] = units.find(([, length]) => seconds >= 2 * length) ?? ["seconds", 1];
  return `${digits(seconds / length)} ${unit}`;
}
