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

function dryRun(cwd: string, setting: string, ...more: readonly string[]) {
  const words = ["--snakefile", "workflow/Snakefile", "--dry-run", ...more, "--config", setting];
  const { status, stdout, stderr } = spawnSync(snakemake, words, { cwd, encoding: "utf8" });
  return { status, output: stdout + stderr };
}

/** Nothing is done yet there. */
function inFolderWithoutRuns(test: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "moco-kit-workflow-"));
  try {
    for (const name of ["bin", "workflow"]) symlinkSync(join(root, name), join(folder, name));
    test(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** How many jobs of each rule there are, by Snakemake's table. */
function jobsOf(output: string): Readonly<Record<string, number>> {
  const jobs = [...output.matchAll(/^(\w+) +(\d+)$/gm)].map(([, rule, count]) => [rule!, Number(count)] as const);
  return Object.fromEntries(jobs);
}

describe("workflow/Snakefile", () => {
  it("has two jobs for each cell and seed, one for each table, and one each for data and baselines", (context) => {
    skipWithoutSnakemake(context);
    inFolderWithoutRuns((folder) => {
      const { status, output } = dryRun(folder, "seeds=3");
      expect(status, output).toBe(0);
      // Two K and two m, one cell of which is in both tables; three seeds.
      const expected = { all: 1, data: 1, baselines: 1, pretrain: 9, evaluate: 9, table: 2, total: 23 };
      expect(jobsOf(output)).toEqual(expected);
      expect(new Set([...output.matchAll(/wildcards: cell=(\S+)/g)].map(([, cell]) => cell)).size).toBe(9);
    });
  });

  it("has the paper's own rows, on ImageNet wherever it is, and no baselines beside them", (context) => {
    skipWithoutSnakemake(context);
    inFolderWithoutRuns((folder) => {
      const paper = ["--printshellcmds", "--configfile", "workflow/paper.yaml"];
      const { status, output } = dryRun(folder, "data=folder:/data/image net", ...paper);
      expect(status, output).toBe(0);
      expect(jobsOf(output)).toEqual({ all: 1, data: 1, pretrain: 22, evaluate: 22, table: 4, total: 50 });
      expect(output).toMatch(/cells run \S+ --preset paper --data 'folder:\/data\/image net' --pretrain-only/);
      expect(output).toMatch(/table momentum --preset paper --data 'folder:\/data\/image net' >/);
    });
  });

  it("says what the kit says of a table that cannot be planned", (context) => {
    skipWithoutSnakemake(context);
    const { status, output } = dryRun(root, "tables=['nothing']");
    expect(status).toBe(1);
    expect(output).toMatch(/'nothing' is invalid. Allowed choices are mechanisms, linear-evaluation/);
  });
});
