/**
 * Measures how well `moco pretrain --dry-run` foretells the peak of memory: `sh test/faults/memory.sh`.
 *
 * Each recipe is foretold, and then trained for as many steps as `--steps` is given; the peak is the high-water mark of the
 * process's resident memory (VmHWM), which Linux keeps. Writes the table of docs/reliability.md.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { install, type Installation } from "./installation";
import { moco, type Ended } from "./process";
import { writeTable } from "./tables";
import { problemOf } from "./works";

/** Steps that are trained: all tensors of a step, a checkpoint and what follows were there by then. */
const steps = 12;

const recipes: readonly (readonly string[])[] = [
  ["--preset", "smoke"],
  ["--preset", "smoke", "--method", "simclr"],
  ["--preset", "smoke", "--method", "end-to-end"],
  ["--preset", "smoke", "--method", "memory-bank"],
  ["--preset", "smoke", "--method", "supervised"],
  ["--preset", "quick"],
  ["--preset", "quick", "--method", "simclr"],
  ["--preset", "quick", "--set", "batchSize=128"],
  ["--preset", "quick", "--set", "encoder.width=64"],
  ["--preset", "smoke", "--set", "encoder.architecture=resnet50"],
];

async function measure(kit: Installation): Promise<void> {
  const lines = ["| `moco pretrain` | foretold | peak | foretold / peak |", "| --- | --- | --- | --- |"];
  for (const [index, words] of recipes.entries()) {
    const foretold = await ended(kit, ["pretrain", ...words, "--dry-run", "--json"]);
    const { memory } = JSON.parse(foretold.stdout) as { readonly memory: { readonly needed: number } };
    const output = join(kit.scratch, `memory-${index}`);
    const { peak } = await ended(kit, ["pretrain", ...words, "--output", output, "--steps", String(steps)]);
    const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;
    const cells = [`\`${words.join(" ")}\``, megabytes(memory.needed), megabytes(peak)];
    lines.push(`| ${[...cells, (memory.needed / peak).toFixed(2)].join(" | ")} |`);
    console.log(lines.at(-1));
  }
  writeTable("memory", lines);
}

/** Runs a command to its end, and tells its largest resident memory in bytes. */
async function ended(kit: Installation, words: readonly string[]): Promise<Ended & { readonly peak: number }> {
  let peak = 0;
  let timer: NodeJS.Timeout | undefined;
  const done = await moco(kit, words, {
    onStart: ({ pid }) => {
      timer = setInterval(() => (peak = Math.max(peak, highWaterMark(pid!))), 20);
    },
  });
  clearInterval(timer);
  const problem = problemOf(done);
  if (problem !== undefined) throw new Error(`moco ${words.join(" ")} ${problem}`);
  return { ...done, peak };
}

function highWaterMark(pid: number): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1024;
  } catch {
    // It has ended.
    return 0;
  }
}

const kit = install();
void measure(kit).finally(() => kit.remove());
