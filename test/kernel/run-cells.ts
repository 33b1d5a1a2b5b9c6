import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { projectRoot, pythonProgram } from "../../src/cli/project";

/** What the kernel answered to one cell. */
export interface CellAnswer {
  readonly status: string;
  readonly stdout: string;
  readonly stderr: string;
  /** The value of the last expression, as text. */
  readonly result: string | null;
  /** The contents of the protocol's `error` messages. */
  readonly errors: readonly {
    readonly ename: string;
    readonly evalue: string;
    readonly traceback: readonly string[];
  }[];
  /** The kinds of outputs (stdout, display_data, ...) as they came. */
  readonly order: readonly string[];
  /** The states (busy, idle) that the kernel published while the cell ran. */
  readonly states: readonly string[];
}

/** A cell; `during`: what is done as soon as it has written something. */
export type TriedCell =
  | string
  | {
      readonly source: string;
      readonly during: "ask" | "interrupt" | "interrupt twice" | "interrupt afterwards" | "shut down";
    };

/**
 * Runs cells one after the other in one new kernel; goes on after a cell that fails.
 *
 * @param folder - where the notebook lies
 */
export function runCells(cells: readonly TriedCell[], folder = projectRoot): CellAnswer[] {
  return answersOf(
    cells.map((cell) => (typeof cell === "string" ? { source: cell, during: null } : cell)),
    folder,
  ) as CellAnswer[];
}

/** Sends all cells at once to a new kernel, as "run all" does, and gives the status that it replies for each. */
export function runTogether(sources: readonly string[], { stopOnError }: { readonly stopOnError: boolean }): string[] {
  const cells = sources.map((source) => ({ source, stop_on_error: stopOnError }));
  return answersOf(cells, projectRoot, "--together") as string[];
}

/** What a new kernel says of cells that are not run: whether each is complete, and the documentation of what stands at its end. */
export function askAbout(
  sources: readonly string[],
): { readonly complete: string; readonly documentation: string | null }[] {
  const cells = sources.map((source) => ({ source }));
  return answersOf(cells, projectRoot, "--ask") as { complete: string; documentation: string | null }[];
}

/** What a new kernel tells of itself. */
export function kernelInfo(): unknown {
  return answersOf([], projectRoot, "--info");
}

function answersOf(cells: readonly object[], folder: string, ...options: readonly string[]): unknown {
  const script = join(projectRoot, "test", "kernel", "run_cells.py");
  const { stdout, stderr, status } = spawnSync(pythonProgram("python"), [script, folder, ...options], {
    input: JSON.stringify(cells),
    encoding: "utf8",
  });
  if (status !== 0) {
    throw new Error(stderr);
  }
  return JSON.parse(stdout);
}
