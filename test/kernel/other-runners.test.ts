import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { pythonProgram } from "../../src/cli/project";
import { writeNotebook, type Cell } from "./notebook-file";

const folder = mkdtempSync(join(tmpdir(), "moco-runners-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runners that people use: what each is called with, and where it puts what it executed. */
const runners: Readonly<Record<string, (path: string, output: string) => readonly string[]>> = {
  papermill: (path, output) => ["-m", "papermill", "-p", "seeds", "3", "-p", "widths", "[4, 8]", path, output],
  nbclient: (path, output) => [
    "-c",
    `import nbformat, nbclient; nb = nbformat.read(${JSON.stringify(path)}, 4); nbclient.execute(nb, kernel_name="moco-kit"); nbformat.write(nb, ${JSON.stringify(output)})`,
  ],
  "jupyter execute": (path, output) => ["-m", "jupyter", "execute", path, "--output", output],
  "nbconvert to HTML": (path, output) => [
    "-m",
    "jupyter",
    "nbconvert",
    "--execute",
    "--to",
    "html",
    path,
    "--output",
    output,
  ],
};

const parameters: Cell = ["const seeds: number = 1;\nconst widths: number[] = [8];", "parameters"];
const chart = [
  'import { showChart } from "moco-kit";',
  'showChart({ data: [{ name: "widths", x: widths, y: widths }], layout: { title: { text: "A chart offline" } } });',
  "console.log(`seeds ${seeds}, widths ${widths.length}`);",
].join("\n");
const good: readonly Cell[] = [parameters, chart];

const wait = "await new Promise((resolve) => setTimeout(resolve, 1000));\n'shown'";
const broken: Readonly<Record<string, { readonly cells: readonly Cell[]; readonly says: RegExp }>> = {
  "a throw": { cells: ["throw new TypeError('boom');", "1"], says: /TypeError: boom/ },
  "a type error": { cells: ["const width: number = 'wide';", "1"], says: /is not assignable to type 'number'/ },
  "a late throw in a timer": {
    cells: ["setTimeout(() => { throw new Error('late'); }, 200);", wait],
    says: /uncaught exception.*late/s,
  },
  "a lost rejection": { cells: ["void Promise.reject(new Error('lost'));", "1"], says: /unhandled rejection.*lost/s },
  "a process exit": { cells: ["process.exit(0);", "1"], says: /Cannot exit/ },
  "a kernel that dies": { cells: [`process.kill(process.pid, 'SIGKILL');\n${wait}`, "1"], says: /[Kk]ernel died/ },
};

function run(args: readonly string[]): Promise<{ readonly code: number | null; readonly text: string }> {
  const child = spawn(pythonProgram("python"), args, { stdio: ["ignore", "pipe", "pipe"], cwd: folder });
  let text = "";
  child.stdout.on("data", (data) => (text += String(data)));
  child.stderr.on("data", (data) => (text += String(data)));
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, text })));
}

// 28 kernels, one after the other.
describe.runIf(process.env["MOCO_TEST_LONG"])("a plain runner of notebooks", () => {
  for (const [name, args] of Object.entries(runners)) {
    const file = (what: string) => `${name}-${what}`.replaceAll(" ", "-");

    it(`${name} runs a good notebook, charts and all`, async () => {
      const output = join(folder, `${file("good")}-out.${name.endsWith("HTML") ? "html" : "ipynb"}`);
      const { code, text } = await run(args(writeNotebook(folder, file("good"), good), output));
      expect(code, text).toBe(0);
      const executed = readFileSync(output, "utf8");
      expect(executed).toContain(name === "papermill" ? "seeds 3, widths 2" : "seeds 1, widths 1");
      // A drawing that needs no network; a page of HTML has it as base64.
      const inside = /src="data:image\/svg\+xml;base64,([^"]+)"/.exec(executed)?.[1];
      expect(inside === undefined ? executed : Buffer.from(inside, "base64").toString()).toMatch(
        /<svg[^]*A chart offline/,
      );
      expect(inside !== undefined).toBe(name === "nbconvert to HTML");
    }, 300_000);

    for (const [what, { cells, says }] of Object.entries(broken)) {
      it(`${name} is red for ${what}`, async () => {
        const output = join(folder, `${file(what)}-out.${name.endsWith("HTML") ? "html" : "ipynb"}`);
        const { code, text } = await run(args(writeNotebook(folder, file(what), [parameters, ...cells]), output));
        expect(code, text).toBeGreaterThan(0);
        const told = text + (existsSync(output) ? readFileSync(output, "utf8") : "");
        expect(told).toMatch(says);
      }, 300_000);
    }
  }
});
