import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = join(__dirname, "../..");

const program = `import { createMoco, loadData, presetNamed, randomStream, tf, type Recipe } from "moco-kit";
export const epochs: number = presetNamed("smoke").base.epochs;
export const ones: tf.Tensor1D = tf.ones([3]);
export const nameOf = (recipe: Recipe): string => recipe.name;
export { createMoco, loadData, randomStream };
`;

/** What a project with few settings and no types of Node has; the default libraries are what tfjs' types ask for. */
const settings = {
  compilerOptions: {
    strict: true,
    module: "nodenext",
    target: "es2022",
    skipLibCheck: false,
    types: [],
    outDir: "out",
  },
  files: ["program.ts"],
};

describe("another project that has installed the kit by its folder", () => {
  let project: string;

  beforeAll(() => {
    project = mkdtempSync(join(tmpdir(), "moco-kit-other-"));
    writeFileSync(join(project, "package.json"), JSON.stringify({ name: "other", private: true, type: "module" }));
    const quiet = ["--offline", "--no-audit", "--no-fund", "--loglevel=error"];
    // As npm does where nobody has told it to copy.
    execFileSync("npm", ["install", root, "--install-links=false", ...quiet], { cwd: project, stdio: "pipe" });
    writeFileSync(join(project, "program.ts"), program);
    writeFileSync(join(project, "tsconfig.json"), JSON.stringify(settings));
  });

  afterAll(() => rmSync(project, { recursive: true, force: true }));

  it("compiles with strict and nodenext, without skipLibCheck and Node's types, but for faults of tfjs' own types", () => {
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    const { stdout } = spawnSync(process.execPath, [tsc, "-p", project, "--pretty", "false"], { encoding: "utf8" });
    const files = stdout.split("\n").flatMap((line) => /^(\S.*)\(\d+,\d+\): error/.exec(line)?.[1] ?? []);
    const packages = new Set(files.map((file) => /node_modules\/(@tensorflow\/[^/]+)\//.exec(file)?.[1] ?? file));
    // tfjs 4.22: `Long` of a package of types that it does not import, and index signatures that strict refuses.
    expect([...packages].sort()).toEqual(["@tensorflow/tfjs-core", "@tensorflow/tfjs-layers"]);
  });

  it("prints nothing by importing it, and runs what it compiled", () => {
    const run = (code: string) =>
      spawnSync(process.execPath, ["--input-type=module", "-e", code], { cwd: project, encoding: "utf8" });
    const imported = run('import "moco-kit";');
    expect([imported.stdout, imported.stderr, imported.status]).toEqual(["", "", 0]);
    const used = run('import { epochs, ones } from "./out/program.js"; console.log(epochs, ones.shape.join());');
    expect([used.stdout, used.stderr, used.status]).toEqual(["1 3\n", "", 0]);
  });
});
