import { describe, expect, it } from "vitest";
import { moco } from "./moco";

interface Listed {
  readonly tables: readonly string[];
  readonly cells: readonly {
    readonly id: string;
    readonly seed: number;
    readonly rows: readonly { readonly table: string }[];
  }[];
}

async function list(...words: readonly string[]): Promise<Listed> {
  const { code, stdout, stderr } = await moco("cells", "list", "--preset", "smoke", "--json", ...words);
  expect([code, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout) as Listed;
}

describe("moco cells", () => {
  it("lists each cell and seed once, with every row that it is", async () => {
    const { tables, cells } = await list("--seeds", "2");
    expect(tables).toEqual(["queue-size", "momentum"]);
    // Two K, and two m at the larger K: one cell is in both tables.
    expect(cells.map(({ seed }) => seed)).toEqual([1, 2, 1, 2, 1, 2]);
    expect(new Set(cells.map(({ id }) => id)).size).toBe(6);
    const shared = cells.filter(({ rows }) => rows.length === 2);
    expect(shared.map(({ id }) => id.replace(/-[0-9a-f]{12}-/, "-"))).toEqual([
      "smoke-K128-m0.99-seed1",
      "smoke-K128-m0.99-seed2",
    ]);
  });

  it("lists those of the tables that are asked for", async () => {
    const { cells } = await list("--tables", "momentum");
    expect(cells.map(({ rows }) => rows.map(({ table }) => table))).toEqual([["momentum"], ["momentum"]]);
    // As workflow/Snakefile names them.
    expect((await list("--tables", "queue-size", "momentum")).cells).toEqual((await list()).cells);
  });

  it("refuses a cell that no table has", async () => {
    const { id } = (await list()).cells[0]!;
    for (const wrong of ["nothing", id.replace(/[0-9a-f]{12}/, "0".repeat(12)), id.replace("-seed1", "-seed0")]) {
      const { code, stdout, stderr } = await moco("cells", "run", wrong, "--preset", "smoke");
      expect([code, stdout]).toEqual([2, ""]);
      expect(stderr).toMatch(/^Cannot find the cell ".*moco cells list --preset smoke\n$/);
    }
  });
});
