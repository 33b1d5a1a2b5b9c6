import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { projectRoot } from "../../src/cli/project";

it("compiles on when packages are installed and changed while the kernel runs", () => {
  const base = mkdtempSync(join(tmpdir(), "moco-compiler-"));
  // TypeScript watches no folder that lies as near to the root as the project may.
  const folder = join(base, "home", "user", "project");
  mkdirSync(folder, { recursive: true });
  const script = `
    const { mkdirSync, writeFileSync } = require("node:fs");
    const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
    const install = (name, types) => {
      mkdirSync("node_modules/" + name, { recursive: true });
      writeFileSync("node_modules/" + name + "/package.json", JSON.stringify({ name, types: "index.d.ts" }));
      writeFileSync("node_modules/" + name + "/index.d.ts", types);
    };
    install("there", "export const there: number;");
    const { createCellConverter, install: installCompiler } = require(${JSON.stringify(join(projectRoot, "kernel", "compiler.js"))});
    const converter = createCellConverter(installCompiler(), process.cwd());
    const compile = (source) =>
      console.log(converter.convert("", source).diagnostics.map(({ messageText }) => messageText).join() || "compiles");
    (async () => {
      compile('import { missing } from "missing"; missing');
      compile('import { there } from "there"; const text: string = there');
      await wait(300);
      install("missing", "export const missing: number;");
      await wait(1000);
      install("there", "export const there: string;");
      await wait(3000); // files are looked at every two seconds
      compile('import { missing } from "missing"; missing');
      compile('import { there } from "there"; const text: string = there');
      process.exit(0);
    })();`;
  try {
    const { stdout, stderr } = spawnSync(process.execPath, ["-e", script], { cwd: folder, encoding: "utf8" });
    expect(stderr).toBe("");
    expect(stdout.trim().split("\n")).toEqual([
      "Cannot find module 'missing' or its corresponding type declarations.",
      "Type 'number' is not assignable to type 'string'.",
      "compiles",
      "compiles",
    ]);
  } finally {
    rmSync(base, { recursive: true });
  }
});
