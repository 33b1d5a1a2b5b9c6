/**
 * Measures what changes the bits of a training, and by how much: `sh test/faults/settings.sh`.
 *
 * The smoke preset's MoCo is trained on random images for 104 steps under each setting, in a process of its own; told is the relative
 * difference of the query encoder's parameters from those of the first setting, after 1, 10 and 100 steps. Writes the table of
 * docs/reliability.md.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeTable } from "./tables";

const steps = [1, 10, 100];

const settings: readonly (readonly [name: string, env: Readonly<Record<string, string>>])[] = [
  ["two threads, oneDNN as TensorFlow chooses", { TF_NUM_INTRAOP_THREADS: "2" }],
  ["the same again", { TF_NUM_INTRAOP_THREADS: "2" }],
  ["a share of the cores for each operation, as the kit has it", {}],
  ["one thread", { TF_NUM_INTRAOP_THREADS: "1" }],
  ["three threads", { TF_NUM_INTRAOP_THREADS: "3" }],
  ["one operation at a time", { TF_NUM_INTRAOP_THREADS: "2", TF_NUM_INTEROP_THREADS: "1" }],
  ["oneDNN on", { TF_NUM_INTRAOP_THREADS: "2", TF_ENABLE_ONEDNN_OPTS: "1" }],
  ["oneDNN off", { TF_NUM_INTRAOP_THREADS: "2", TF_ENABLE_ONEDNN_OPTS: "0" }],
  ["oneDNN on, AVX2 at most", { TF_NUM_INTRAOP_THREADS: "2", TF_ENABLE_ONEDNN_OPTS: "1", ONEDNN_MAX_CPU_ISA: "AVX2" }],
  [
    "oneDNN on, SSE4.1 at most",
    { TF_NUM_INTRAOP_THREADS: "2", TF_ENABLE_ONEDNN_OPTS: "1", ONEDNN_MAX_CPU_ISA: "SSE41" },
  ],
  ["operation by operation", { TF_NUM_INTRAOP_THREADS: "2", MOCO_OP_BY_OP: "1" }],
];

async function train(folder: string, output: string): Promise<void> {
  await import("../../src/engine/environment.js");
  const { randomImageData } = await import("../../src/experiments/cost/random-images.js");
  const { defaultMethod, methodRecipe } = await import("../../src/recipes/method-recipes.js");
  const { presetNamed } = await import("../../src/recipes/presets.js");
  const { pretrain } = await import("../../src/train/pretrain.js");
  const preset = presetNamed("smoke");
  const recipe = { ...methodRecipe(preset, defaultMethod(preset, "moco")), epochs: 26 };
  const data = randomImageData(recipe.imageSize, 4 * recipe.batchSize, 4);
  const parameters: number[][] = [];
  const training = pretrain(recipe, data, {
    seed: 1,
    directory: folder,
    checkpointSeconds: Infinity,
    observe: ({ encoder }, step) => {
      if (steps.includes(step)) parameters.push([...encoder.parameters.values.dataSync<"float32">()]);
    },
  });
  for await (const { step } of training) if (step > steps.at(-1)!) break;
  writeFileSync(output, JSON.stringify(parameters));
}

function measure(): void {
  const folder = mkdtempSync(join(tmpdir(), "moco-settings-"));
  let first: number[][] | undefined;
  const header = ["setting", ...steps.map((step) => `after ${step} step${step === 1 ? "" : "s"}`)];
  const lines = [`| ${header.join(" | ")} |`, `| ${header.map(() => "---").join(" | ")} |`];
  for (const [index, [name, env]] of settings.entries()) {
    const output = join(folder, `${index}.json`);
    const { status, stderr } = spawnSync(process.execPath, [__filename, join(folder, `${index}`), output], {
      env: { ...process.env, ...env },
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`${name}: ${stderr}`);
    const parameters = JSON.parse(readFileSync(output, "utf8")) as number[][];
    first ??= parameters;
    const differences = parameters.map((values, at) => relativeDifference(values, first![at]!));
    const cells = differences.map((one) => (one === 0 ? "same bits" : one.toExponential(1)));
    lines.push(`| ${[name, ...(index === 0 ? steps.map(() => "") : cells)].join(" | ")} |`);
    console.log(lines.at(-1));
  }
  writeTable("settings", lines);
  rmSync(folder, { recursive: true });
}

/** Euclidean norm of the difference by that of the second. */
function relativeDifference(values: readonly number[], expected: readonly number[]): number {
  const norm = (numbers: readonly number[]) => Math.sqrt(numbers.reduce((sum, value) => sum + value * value, 0));
  return norm(values.map((value, index) => value - expected[index]!)) / norm(expected);
}

const [folder, output] = process.argv.slice(2);
if (folder === undefined || output === undefined) measure();
else void train(folder, output);
