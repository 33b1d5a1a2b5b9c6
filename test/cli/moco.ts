import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { projectRoot } from "../../src/cli/project";

/** A finished `moco` process. */
export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A `moco` process that runs. */
export interface Running {
  readonly process: ChildProcess;
  readonly finished: Promise<Finished>;
}

/** Starts the built program, as a user does. */
export function start(...words: readonly string[]): Running {
  const child = spawn(join(projectRoot, "bin", "moco"), words, { stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise<Pick<Finished, "code" | "signal">>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal }));
  });
  const output = Promise.all([text(child.stdout), text(child.stderr)]);
  const finished = Promise.all([ended, output]).then(([end, [stdout, stderr]]) => ({ ...end, stdout, stderr }));
  return { process: child, finished };
}

/** Runs the built program to its end. */
export function moco(...words: readonly string[]): Promise<Finished> {
  return start(...words).finished;
}
