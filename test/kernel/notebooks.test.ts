import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { projectRoot } from "../../src/cli/project";

it("compiles each cell of the notebooks, with strict", () => {
  const script = join(projectRoot, "test", "kernel", "compile-notebooks.cjs");
  const folder = join(projectRoot, "notebooks");
  const notebooks = readdirSync(folder).filter((file) => file.endsWith(".ipynb"));
  expect(notebooks.length).toBeGreaterThan(0);
  const paths = notebooks.map((file) => join(folder, file));
  const { stdout, stderr } = spawnSync("node", [script, ...paths], { encoding: "utf8" });
  expect(stdout, stderr).toBe("[]");
});
