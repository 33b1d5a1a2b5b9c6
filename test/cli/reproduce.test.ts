import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { projectRoot } from "../../src/cli/project";
import { runsFolder } from "../../src/runs/run-name";
import { moco } from "./moco";

interface TableJson {
  readonly ablation: string;
  readonly rows: readonly {
    readonly label: string;
    readonly seeds: number;
    readonly metrics: Readonly<Record<string, { readonly mean: number; readonly kind: string }>>;
    readonly manifests: readonly { readonly finished: string }[];
  }[];
}

describe("moco reproduce", () => {
  it("trains both ablations through their notebooks, gives the tables and writes the page", async () => {
    const began = new Date();
    const { code, stdout, stderr } = await moco("reproduce", "--preset", "smoke", "--fresh", "--json");
    expect(code, stderr).toBe(0);
    expect(stderr).toContain("Preset smoke: notebooks 03, 04 with one seed for each training");
    const { page, tables } = JSON.parse(stdout) as { page: string; tables: readonly TableJson[] };

    expect(tables.map(({ ablation }) => ablation)).toEqual(["queue-size", "momentum"]);
    for (const row of tables.flatMap(({ rows }) => rows)) {
      expect(row.seeds, row.label).toBe(1);
      expect(Object.keys(row.metrics)).toEqual(["linear", "logistic", "knn", "retrieval"]);
      // --fresh: trained by this very command.
      for (const { finished } of row.manifests) expect(new Date(finished).getTime()).toBeGreaterThan(began.getTime());
    }
    expect(readFileSync(page, "utf8")).toContain("Momentum of the key encoder");
    for (const name of ["03-queue-size", "04-momentum"]) {
      const executed = join(runsFolder, "notebooks", `${name}-smoke.ipynb`);
      expect(statSync(executed).mtimeMs).toBeGreaterThan(began.getTime());
    }

    const table = await moco("table", "momentum", "--preset", "smoke", "--json");
    expect(JSON.parse(table.stdout)).toEqual(tables[1]);
  }, 300_000);

  it("refuses a number of seeds that is none", async () => {
    const { code, stderr } = await moco("reproduce", "--preset", "smoke", "--seeds", "0");
    expect(stderr).toContain("It must be an integer of at least 1");
    expect(code).toBe(2);
    expect(existsSync(join(projectRoot, "results", "smoke"))).toBe(false);
  });
});
