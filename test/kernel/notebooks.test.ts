import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { projectRoot, pythonProgram } from "../../src/cli/project";

const folder = join(projectRoot, "notebooks");
const notebooks = readdirSync(folder).filter((file) => file.endsWith(".ipynb"));
const sources = readdirSync(join(folder, "sources")).filter((file) => file.endsWith(".ts"));

it("compiles each cell of notebook 00, with strict; other tests run 01 to 07", () => {
  const script = join(projectRoot, "test", "kernel", "compile-notebooks.cjs");
  const { stdout, stderr } = spawnSync("node", [script, join(folder, "00-start-here.ipynb")], { encoding: "utf8" });
  expect(stdout, stderr).toBe("[]");
});

it("has for each notebook a source with the same cells", () => {
  expect(sources.map((file) => file.replace(/\.ts$/, ".ipynb")).sort()).toEqual(notebooks.sort());
  const script = join(projectRoot, "kernel", "make_notebooks.py");
  const { status, stderr } = spawnSync(pythonProgram("python"), [script, "--check", "--sources"], { encoding: "utf8" });
  expect(stderr).toBe("");
  expect(status).toBe(0);
});

it("notices the stop button before a step where a loop goes on from there: after it, the step would be taken twice", () => {
  const loops = sources
    .flatMap((file) => readFileSync(join(folder, "sources", file), "utf8").split("// %%"))
    .filter((cell) => cell.includes("for (; step < steps; step++)"));
  expect(loops).toHaveLength(4);
  for (const loop of loops) expect(loop).toMatch(/step\+\+\) \{\n {2}await letOthersRun\(\)/);
});
