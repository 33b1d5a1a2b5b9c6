import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, type TestContext } from "vitest";

const root = join(__dirname, "../..");
/** Where docs/cluster.md installs it. */
const snakemake = join(root, "build/workflow/bin/snakemake");

function skipWithoutSnakemake({ skip }: TestContext): void {
  skip(!existsSync(snakemake), "Snakemake is not installed: docs/cluster.md says how");
}

function dryRun(cwd: string, setting: string) {
  const words = ["--snakefile", "workflow/Snakefile", "--dry-run", "--config", setting];
  const { status, stdout, stderr } = spawnSync(snakemake, words, { cwd, encoding: "utf8" });
  return { status, output: stdout + stderr };
}

describe("workflow/Snakefile", () => {
  it("has two jobs for each cell and seed, one for each table, and one each for data and baselines", (context) => {
    skipWithoutSnakemake(context);
    // A folder without runs, so that nothing is done yet.
    const folder = mkdtempSync(join(tmpdir(), "moco-kit-workflow-"));
    try {
      for (const name of ["bin", "workflow"]) symlinkSync(join(root, name), join(folder, name));
      const { status, output } = dryRun(folder, "seeds=3");
      expect(status, output).toBe(0);
      const jobs = [...output.matchAll(/^(\w+) +(\d+)$/gm)].map(([, rule, count]) => [rule, Number(count)]);
      // Two K and two m, one cell of which is in both tables; three seeds.
      const expected = { all: 1, data: 1, baselines: 1, pretrain: 9, evaluate: 9, table: 2, total: 23 };
      expect(Object.fromEntries(jobs)).toEqual(expected);
      expect(new Set([...output.matchAll(/wildcards: cell=(\S+)/g)].map(([, cell]) => cell)).size).toBe(9);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("says what the kit says of a table that cannot be planned", (context) => {
    skipWithoutSnakemake(context);
    const { status, output } = dryRun(root, "tables=['nothing']");
    expect(status).toBe(1);
    expect(output).toMatch(/'nothing' is invalid. Allowed choices are mechanisms, linear-evaluation/);
  });
});
