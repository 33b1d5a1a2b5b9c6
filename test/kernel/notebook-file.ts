import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** A code cell: its source, or its source and its tags. */
export type Cell = string | readonly [source: string, ...tags: string[]];

/** Writes a notebook of code cells and returns its path. */
export function writeNotebook(folder: string, name: string, cells: readonly Cell[]): string {
  const path = join(folder, `${name}.ipynb`);
  const notebook = {
    nbformat: 4,
    nbformat_minor: 5,
    metadata: { kernelspec: { name: "moco-kit", display_name: "MoCo kit (TypeScript)", language: "typescript" } },
    cells: cells.map((cell, index) => {
      const [source, ...tags] = typeof cell === "string" ? [cell] : cell;
      return { id: `cell-${index}`, cell_type: "code", source, metadata: { tags }, execution_count: null, outputs: [] };
    }),
  };
  writeFileSync(path, JSON.stringify(notebook));
  return path;
}
