import { createRequire } from "node:module";
import { format } from "node:util";
import { runInThisContext } from "node:vm";
import type { NotebookKernel } from "../display/kernel";
import { recordedPart } from "./notebook-source";

/** An output of a cell as notebooks keep it, but for its metadata. */
export type CellOutput = { readonly text: string } | { readonly data: Readonly<Record<string, unknown>> };

type Cells = (
  require: NodeJS.Require,
  exports: object,
  console: Pick<Console, "log">,
  beginCell: (index: number) => void,
) => Promise<void>;

/**
 * Runs the cells of a notebook that show what is recorded, without Jupyter, and takes their outputs. Nothing is trained.
 *
 * @param source - of the notebook
 * @param path - of the notebook: packages are looked for from there
 * @returns outputs by the cell's index among all cells
 */
export async function recordedOutputs(
  source: string,
  path: string,
): Promise<ReadonlyMap<number, readonly CellOutput[]>> {
  const { code, cells } = recordedPart(source);
  const outputs = new Map<number, CellOutput[]>([...cells].map((index) => [index, []]));
  let current: CellOutput[] = [];
  const log = (...values: unknown[]) => {
    const text = `${format(...values)}\n`;
    const last = current.at(-1);
    // What is written in one go is one output.
    if (last !== undefined && "text" in last) current[current.length - 1] = { text: last.text + text };
    else current.push({ text });
  };
  const kernel: NotebookKernel = {
    interrupts: 0,
    stopRequested: () => false,
    show: (data) => void current.push({ data: JSON.parse(JSON.stringify(data)) as Record<string, unknown> }),
  };
  const place = globalThis as { mocoKernel?: NotebookKernel };
  const before = place.mocoKernel;
  place.mocoKernel = kernel;
  try {
    const run = runInThisContext(`(async (require, exports, console, beginCell) => {${code}\n})`, {
      filename: path,
    }) as Cells;
    await run(createRequire(path), {}, { log }, (index) => (current = outputs.get(index)!));
  } finally {
    if (before === undefined) delete place.mocoKernel;
    else place.mocoKernel = before;
  }
  return outputs;
}
