import { spawn, type ChildProcess } from "node:child_process";
import { text } from "node:stream/consumers";
import { join } from "node:path";
import type { Fault } from "../files/faulty-files.cjs";
import { faultyFiles, type Installation } from "./installation";

/** When a process is killed with SIGKILL. */
export type Kill =
  | { readonly fault: Fault }
  | { readonly afterSeconds: number }
  /** After it has printed so many lines that match. */
  | { readonly atLine: RegExp; readonly count: number };

/** A process that has ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
}

export interface ProcessOptions {
  /** Variables of the environment; undefined takes one out. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly kill?: Kill;
  /** Told when the process has started. */
  readonly onStart?: (child: ChildProcess) => void;
}

/** A process that takes longer hangs: it is ended, and its code is null. */
const patienceSeconds = 600;

/** Runs `moco` of an installation to its end, or until it is killed. */
export function moco(kit: Installation, words: readonly string[], options: ProcessOptions = {}): Promise<Ended> {
  return runProcess(join(kit.root, "bin", "moco"), words, options);
}

/** Runs a shell's script in which "$MOCO" is the program, and "$@" what is given. */
export function shell(
  kit: Installation,
  script: string,
  words: readonly string[],
  options: ProcessOptions = {},
): Promise<Ended> {
  const env = { MOCO: join(kit.root, "bin", "moco"), ...options.env };
  return runProcess("sh", ["-c", script, "sh", ...words], { ...options, env });
}

async function runProcess(
  program: string,
  words: readonly string[],
  { env, kill, onStart }: ProcessOptions,
): Promise<Ended> {
  const began = performance.now();
  const child = spawn(program, words, {
    stdio: ["ignore", "pipe", "pipe"],
    env: environmentOf(env, kill && "fault" in kill ? kill.fault : undefined),
  });
  onStart?.(child);
  const timers = [setTimeout(() => child.kill("SIGKILL"), patienceSeconds * 1000)];
  if (kill && "afterSeconds" in kill) timers.push(setTimeout(() => child.kill("SIGKILL"), kill.afterSeconds * 1000));
  if (kill && "atLine" in kill) killAtLine(child, kill);
  const ended = new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve([code, signal]));
  });
  const output = Promise.all([text(child.stdout), text(child.stderr)]);
  const [code, signal] = await ended;
  timers.forEach(clearTimeout);
  const [stdout, stderr] = await output;
  return { code, signal, stdout, stderr, seconds: (performance.now() - began) / 1000 };
}

/** The environment of a process in which a fault is put in: every Node in it loads the layer first. */
function environmentOf(changes: Readonly<Record<string, string | undefined>> = {}, fault?: Fault): NodeJS.ProcessEnv {
  const layer = fault && { NODE_OPTIONS: `--require ${faultyFiles}`, MOCO_TEST_FAULT: JSON.stringify(fault) };
  // What this process was started with is for its own Node, and an installation keeps its runs.
  const { NODE_OPTIONS: _, MOCO_RUNS: __, ...own } = process.env;
  return { ...own, ...layer, ...changes };
}

function killAtLine(child: ChildProcess, { atLine, count }: { readonly atLine: RegExp; readonly count: number }): void {
  let seen = 0;
  let rest = "";
  child.stdout!.on("data", (data: Buffer) => {
    const lines = (rest + data.toString()).split("\n");
    rest = lines.pop()!;
    for (const line of lines) if (atLine.test(line) && ++seen === count) child.kill("SIGKILL");
  });
}
