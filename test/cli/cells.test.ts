import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { moco } from "./moco";

interface Listed {
  readonly dataset: string;
  readonly baselines: boolean;
  readonly tables: readonly string[];
  readonly cells: readonly {
    readonly id: string;
    readonly seed: number;
    readonly rows: readonly { readonly table: string }[];
  }[];
}

async function list(...words: readonly string[]): Promise<Listed> {
  return listOf("smoke", ...words);
}

async function listOf(preset: string, ...words: readonly string[]): Promise<Listed> {
  const { code, stdout, stderr } = await moco("cells", "list", "--preset", preset, "--json", ...words);
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

  it("lists the paper's own rows, each pre-training once, on the data set that is said", async () => {
    const tables = ["mechanisms", "linear-evaluation", "queue-size", "momentum"];
    const plan = await listOf("paper", "--data", "folder:/data/imagenet", "--tables", ...tables);
    expect(plan).toMatchObject({ tables, dataset: "folder:/data/imagenet", baselines: false });
    expect(plan.cells.map(({ rows }) => rows.length).reduce((sum, rows) => sum + rows)).toBe(15 + 4 + 6 + 5);
    expect(new Set(plan.cells.map(({ id }) => id)).size).toBe(22);
    expect(await listOf("paper")).toMatchObject({ tables: ["queue-size", "momentum"], dataset: "folder:imagenet" });
    expect((await list()).baselines).toBe(true);
  });

  it("runs a cell of the paper by its recipe, on all of the training part", async () => {
    const folder = mkdtempSync(join(tmpdir(), "moco-cells-"));
    try {
      for (const [part, count] of Object.entries({ train: 10, val: 1 })) {
        for (const name of ["dark", "light"]) {
          mkdirSync(join(folder, part, name), { recursive: true });
          for (let image = 0; image < count; image++) {
            const background = { r: 20 * image, g: 0, b: name === "light" ? 250 : 50 };
            await sharp({ create: { width: 8, height: 8, channels: 3, background } })
              .png()
              .toFile(join(folder, part, name, `${image}.png`));
          }
        }
      }
      const { cells } = await listOf("paper", "--data", `folder:${folder}`);
      const run = await moco("cells", "run", cells[0]!.id, "--preset", "paper", "--data", `folder:${folder}`);
      // The recipe is the paper's, too large for these images: that it looks at all of them is what can be seen.
      expect([run.code, run.stdout]).toEqual([2, ""]);
      expect(run.stderr).toMatch(/it has 20 images, the batch size is 256/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it.each([
    [["list", "--preset", "paper", "--seeds", "2"], /Cannot plan 2 seeds .* one training of each row/],
    [["list", "--preset", "paper", "--tables", "encoders"], /own rows are mechanisms, linear-evaluation, queue-size/],
    [["list", "--preset", "paper", "--data", "imagenet"], /its name must be .* folder:PATH/],
    [["list", "--preset", "smoke", "--data", "folder:imagenet"], /--data: it belongs to --preset paper/],
    [["run", "any", "--preset", "smoke", "--data", "folder:imagenet"], /--data: it belongs to --preset paper/],
    [["run", "any", "--preset", "paper"], /Names go by --data: .* moco cells list --preset paper\n/],
    [["baselines", "--preset", "paper"], /Cannot evaluate baselines .* the paper's tables have none/],
  ])("refuses %j", async (words, message) => {
    const { code, stdout, stderr } = await moco("cells", ...words);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(message);
  });
});
