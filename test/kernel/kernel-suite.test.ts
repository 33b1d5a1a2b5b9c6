import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { projectRoot, pythonProgram } from "../../src/cli/project";

it("has the results in Jupyter's public tests of kernels that docs/kernel.md says", { timeout: 120_000 }, () => {
  const said = readFileSync(join(projectRoot, "docs", "kernel.md"), "utf8").matchAll(/^\| `(test_\w+)` *\| (\w+)/gm);
  const script = join(projectRoot, "test", "kernel", "kernel_suite.py");
  const { stdout, stderr, status } = spawnSync(pythonProgram("python"), [script], { encoding: "utf8" });
  expect(status, stderr).toBe(0);
  const results = [...stdout.matchAll(/^(test_\w+): (\w+)$/gm)].map(([, name, result]) => [name, result]);
  expect(Object.fromEntries(results)).toEqual(Object.fromEntries([...said].map(([, name, result]) => [name, result])));
  expect(results.filter(([, result]) => result === "passed").length).toBeGreaterThanOrEqual(10);
});
