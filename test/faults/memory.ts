/**
 * Measures how well `--dry-run` foretells the peak of memory, of `moco pretrain` and `moco detect`: `sh test/faults/memory.sh`.
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

const commands: readonly (readonly string[])[] = [
  ["pretrain", "--preset", "smoke"],
  ["pretrain", "--preset", "smoke", "--method", "simclr"],
  ["pretrain", "--preset", "smoke", "--method", "end-to-end"],
  ["pretrain", "--preset", "smoke", "--method", "memory-bank"],
  ["pretrain", "--preset", "smoke", "--method", "supervised"],
  ["pretrain", "--preset", "quick"],
  ["pretrain", "--preset", "quick", "--method", "simclr"],
  ["pretrain", "--preset", "quick", "--set", "batchSize=128"],
  ["pretrain", "--preset", "quick", "--set", "encoder.width=64"],
  ["pretrain", "--preset", "smoke", "--set", "encoder.architecture=resnet50"],
  ["detect", "--preset", "smoke"],
  ["detect", "--preset", "quick"],
  ["detect", "--preset", "quick-fpn"],
];

async function measure(kit: Installation): Promise<void> {
  const lines = ["| `moco` | foretold | peak | foretold / peak |", "| --- | --- | --- | --- |"];
  for (const [index, words] of commands.entries()) {
    const foretold = await ended(kit, [...words, "--dry-run", "--json"]);
    const { memory } = JSON.parse(foretold.stdout) as { readonly memory: { readonly needed: number } };
    const output = join(kit.scratch, `memory-${index}`);
    const { peak } = await ended(kit, [...words, "--output", output, "--steps", String(steps)]);
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
