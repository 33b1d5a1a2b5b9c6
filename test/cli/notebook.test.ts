import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { executedNotebookPath, findNotebook, notebookCommand, runNotebook } from "../../src/cli/notebook";
import { projectRoot } from "../../src/cli/project";
import { runsFolder } from "../../src/runs/run-name";
import { InputError } from "../../src/errors";
import { writeNotebook } from "../kernel/notebook-file";
import { moco } from "./moco";

const folder = mkdtempSync(join(tmpdir(), "moco-notebook-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("moco notebook", () => {
  it("names the notebooks that there are when there is none of that number", () => {
    expect(() => findNotebook("98")).toThrow(InputError);
    expect(() => findNotebook("98")).toThrow(/Cannot find the notebook 98: give a path, or the number of one of /);
  });

  it("says that a file is missing", () => {
    expect(() => findNotebook("missing.ipynb")).toThrow("there is no file missing.ipynb");
  });

  it("refuses a preset that does not exist and a number of seeds below 1", async () => {
    const path = writeNotebook(folder, "unused", ["1"]);
    const command = () =>
      notebookCommand()
        .exitOverride()
        .configureOutput({ writeErr: () => undefined });
    const run = (...options: string[]) => command().parseAsync([path, ...options], { from: "user" });
    for (const seeds of ["0", "101", "many", "0x10", ""]) {
      await expect(run("--seeds", seeds)).rejects.toThrow(/'--seeds <count>'.*at least 1 and at most 100/);
    }
    await expect(run("--preset", "quick", "--data", "folder:imagenet")).rejects.toThrow(/it belongs to --preset paper/);
    await expect(run("--preset", "tiny")).rejects.toThrow(/Cannot run the notebook: --preset: /);
  });

  it("refuses the paper's own rows where a notebook has none", async () => {
    const run = () => notebookCommand().parseAsync(["05", "--preset", "paper"], { from: "user" });
    await expect(run()).rejects.toThrow(/it has no rows of the paper's own; notebooks 01 to 04 have/);
  });

  it("refuses to train the paper's own rows without their images, before anything runs", async () => {
    const run = (...words: string[]) =>
      notebookCommand().parseAsync(["04", "--preset", "paper", ...words], { from: "user" });
    const nowhere = join(folder, "nowhere");
    await expect(run("--data", `folder:${nowhere}`)).rejects.toThrow(
      `Cannot train the paper's own rows: there is no folder ${nowhere}; say by --data where ImageNet is, or show by --recorded what is trained so far`,
    );
    vi.stubEnv("MOCO_DATA", folder);
    await expect(run()).rejects.toThrow(`there is no folder ${join(folder, "imagenet")}`);
    vi.unstubAllEnvs();
    await expect(run("--data", nowhere)).rejects.toThrow(/its name must be emoji, cifar10 or folder:PATH/);
  });

  it.runIf(process.env["MOCO_TEST_LONG"])(
    "shows the paper's own rows, which nobody has trained, in notebooks 01 to 04",
    async () => {
      for (const [number, row] of [
        ["01", "end-to-end, batch = 1,024"],
        ["02", "MoCo, R50w4×"],
        ["03", "K = 65,536"],
        ["04", "m = 0.999"],
      ]) {
        const output = join(folder, "paper", `${number}.ipynb`);
        const words = ["--preset", "paper", "--recorded", "--data", "folder:nowhere", "--output", output];
        const { code, stdout } = await moco("notebook", number!, ...words);
        expect(code, stdout).toBe(0);
        expect(stdout.split("\n").find((line) => line.startsWith(`│ ${row} `))).toContain("not run");
      }
    },
    600_000,
  );

  it("keeps executed notebooks in runs, by preset", () => {
    expect(executedNotebookPath("notebooks/03-queue-size.ipynb", "smoke")).toBe(
      join(runsFolder, "notebooks", "03-queue-size-smoke.ipynb"),
    );
  });
});

describe.concurrent("runNotebook", () => {
  it("passes parameters, gives each printed line, and returns the exit code of the run", async () => {
    const lines: string[] = [];
    const path = writeNotebook(folder, "good", [["const seeds = 1;", "parameters"], "console.log(`seeds: ${seeds}`);"]);
    const code = await runNotebook({
      path,
      parameters: { seeds: 3 },
      output: join(folder, "runs", "good.ipynb"),
      onLine: (line) => lines.push(line),
    });
    expect(lines).toContain("seeds: 3");
    expect(code).toBe(0);
  });

  /** Runs a notebook that trains until it is stopped, in a process of its own; gives the kernel's process id. */
  async function startTraining(name: string) {
    const cell = [
      "const kernel = (globalThis as any).mocoKernel;",
      'console.log("began", process.pid);',
      "while (!kernel.stopRequested()) await new Promise((resolve) => setTimeout(resolve, 10));",
      'console.log("stopped by itself");',
    ].join("\n");
    const run = {
      path: writeNotebook(folder, name, [cell]),
      parameters: {},
      output: join(folder, "runs", `${name}.ipynb`),
    };
    const script = `require("./dist/cli/notebook").runNotebook(${JSON.stringify(run)}).then((code) => process.exit(code))`;
    const child = spawn(process.execPath, ["-e", script], { cwd: projectRoot, stdio: ["ignore", "pipe", "ignore"] });
    let text = "";
    child.stdout.on("data", (data) => (text += String(data)));
    const code = new Promise((resolve) => child.on("exit", resolve));
    while (!/began \d+\n/.test(text)) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return { child, code, text: () => text, kernel: Number(/began (\d+)/.exec(text)![1]) };
  }

  it("lets the training stop by itself at Ctrl-C", async () => {
    const { child, code, text } = await startTraining("interrupted");
    child.kill("SIGINT");
    expect(await code).toBe(130);
    expect(text()).toContain("stopped by itself\n");
  });

  it("leaves no kernel behind when its process is killed", async () => {
    const { child, kernel } = await startTraining("killed");
    expect(() => process.kill(kernel, 0)).not.toThrow();
    child.kill("SIGKILL");
    // Not expect.poll: it loses its test where several run at once.
    await vi.waitFor(() => expect(isAlive(kernel)).toBe(false), { timeout: 10_000 });
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
