import { isDeepStrictEqual } from "node:util";
import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { join } from "node:path";
import { lockFile } from "../../src/files/folder-lock";
import { runsContent } from "./content";
import type { Installation } from "./installation";
import { moco, type Ended, type ProcessOptions } from "./process";

/** Something that a user starts, and starts again when it was cut short. */
export interface Work {
  readonly words: readonly string[];
  /** The folder with all that it leaves. */
  readonly folder: string;
  /** Whether what it prints is its result. */
  readonly prints?: boolean;
}

/** A work that went to its end, undisturbed. */
export interface Undisturbed {
  readonly result: unknown;
  readonly seconds: number;
}

/** A pre-training of 35 steps, with a checkpoint after nearly every one, or so many seconds. */
export function pretraining(kit: Installation, name = "pretrain", checkpointSeconds = 0.01): Work {
  const folder = join(kit.scratch, name);
  return {
    words: ["pretrain", "--preset", "smoke", "--output", folder, "--checkpoint-seconds", String(checkpointSeconds)],
    folder,
  };
}

/** A detector's training, with a checkpoint after every step, and its evaluation. */
export function detectorTraining(kit: Installation, name = "detect"): Work {
  const folder = join(kit.scratch, name);
  const words = ["detect", "--dataset", "scenes", "--preset", "smoke", "--init", "random", "--output", folder];
  return { words: [...words, "--checkpoint-seconds", "0.01"], folder };
}

/** A detector's training that is long enough for its steps to be recorded as graphs. */
export function recordedDetectorTraining(kit: Installation, name: string): Work {
  const { words, folder } = detectorTraining(kit, name);
  return { words: [...words, "--set", "schedule.iterations=24"], folder };
}

/** A linear classifier by the paper's protocol, 27 steps on the network of a run, with a checkpoint after each. */
export function classifierTraining(kit: Installation, encoder: string): Work {
  const folder = join(kit.scratch, "classifier");
  const words = ["linear", encoder, "--protocol", "paper", "--set", "epochs=3", "--part", "validation"];
  return { words: [...words, "--output", folder, "--checkpoint-seconds", "0.01"], folder };
}

/** Whether two runs of one work gave the same, bit for bit. */
export function compare(result: unknown, { result: undisturbed }: Undisturbed): string | undefined {
  if (isDeepStrictEqual(result, undisturbed)) return undefined;
  const [one, other] = [result, undisturbed].map((value) => (value ?? {}) as Record<string, unknown>);
  const names = [...new Set([...Object.keys(one!), ...Object.keys(other!)])];
  const different = names.filter((name) => !isDeepStrictEqual(one![name], other![name]));
  return `not the same as without the fault: ${different.join(", ") || "the output"}`;
}

/** Works of an installation that went to their end, by their words, with a copy of what they left. */
const finished = new WeakMap<Installation, Map<string, Undisturbed & { readonly copy: string }>>();

/** Empties the folder of a work. */
export function reset({ folder }: Work): void {
  rmSync(folder, { recursive: true, force: true });
}

/** Runs a work from nothing to its end. The same work in another folder is not run again. */
export async function undisturbed(kit: Installation, work: Work): Promise<Undisturbed> {
  const known = finished.get(kit) ?? new Map<string, Undisturbed & { readonly copy: string }>();
  finished.set(kit, known);
  const key = work.words.join(" ").replaceAll(work.folder, "");
  const found = known.get(key);
  if (!work.prints) reset(work);
  if (found !== undefined) {
    if (!work.prints) cpSync(found.copy, work.folder, { recursive: true });
    return found;
  }
  const ended = await moco(kit, work.words);
  const problem = problemOf(ended);
  if (problem !== undefined) throw new Error(`moco ${work.words.join(" ")} ${problem}`);
  const copy = join(kit.scratch, `undisturbed-${known.size}`);
  if (!work.prints) cpSync(work.folder, copy, { recursive: true });
  const result = { result: resultOf(work, ended), seconds: ended.seconds, copy };
  known.set(key, result);
  return result;
}

/** The same command once more, to its end: what is wrong with what came of it. */
export async function finish(
  kit: Installation,
  work: Work,
  expected: Undisturbed,
  options: ProcessOptions = {},
): Promise<{ readonly problem: string | undefined; readonly ended: Ended }> {
  await untilUnlocked(work.folder);
  const ended = await moco(kit, work.words, options);
  return { problem: problemOf(ended) ?? compare(resultOf(work, ended), expected), ended };
}

export function resultOf(work: Work, { stdout }: Ended): unknown {
  return work.prints ? JSON.parse(stdout) : runsContent(work.folder);
}

/** Why a process did not end well. */
export function problemOf({ code, signal, stderr }: Ended): string | undefined {
  if (code === 0) return undefined;
  return `ended with ${signal ?? code}: ${stderr.trim().split("\n").slice(-3).join(" / ")}`;
}

/** Waits until the processes have gone that hold locks in a folder: a kernel ends a moment after who started it. */
export async function untilUnlocked(folder: string): Promise<void> {
  const locks = existsSync(folder)
    ? (readdirSync(folder, { recursive: true }) as string[]).filter((name) => name.endsWith(lockFile))
    : [];
  for (const name of locks) {
    while (isHeld(join(folder, name))) await setTimeout(100);
  }
}

function isHeld(path: string): boolean {
  try {
    const { pid } = JSON.parse(readFileSync(path, "utf8")) as { pid: number };
    return existsSync(`/proc/${pid}`) && !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
  } catch {
    return false;
  }
}
