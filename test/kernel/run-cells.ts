import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { projectRoot, pythonProgram } from "../../src/cli/project";

/** What the kernel answered to one cell. */
export interface CellAnswer {
  readonly status: string;
  readonly stdout: string;
  readonly stderr: string;
  /** The contents of the protocol's `error` messages. */
  readonly errors: readonly {
    readonly ename: string;
    readonly evalue: string;
    readonly traceback: readonly string[];
  }[];
  /** The states (busy, idle) that the kernel published while the cell ran. */
  readonly states: readonly string[];
}

/** Put before a cell: the kernel is asked something else while that cell runs. */
export const askWhileRunning = "__ask_while_running__";

/** Runs cells one after the other in one new kernel; goes on after a cell that fails. */
export function runCells(sources: readonly string[]): CellAnswer[] {
  const script = join(projectRoot, "test", "kernel", "run_cells.py");
  const { stdout, stderr, status } = spawnSync(pythonProgram("python"), [script], {
    input: JSON.stringify(sources),
    encoding: "utf8",
  });
  if (status !== 0) {
    throw new Error(stderr);
  }
  return JSON.parse(stdout) as CellAnswer[];
}
