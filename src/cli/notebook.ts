import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { createInterface } from "node:readline";
import { Command } from "commander";
import { z } from "zod";
import { InputError } from "../errors";
import { projectRoot, pythonProgram } from "./project";

/** A notebook to run without a browser. */
export interface NotebookRun {
  readonly path: string;
  /** Values for the constants of the notebook's cell tagged `parameters`. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Where the executed notebook goes; not into the folder of the notebook. */
  readonly output: string;
  /** Gets each line that the run prints. Default: they go to the terminal. */
  readonly onLine?: (line: string) => void;
}

const optionsSchema = z.object({
  preset: z.enum(["smoke", "quick", "small", "paper"]),
  seeds: z.coerce.number().int().min(1).max(100).optional(),
  fresh: z.boolean().optional(),
  output: z.string().min(1).optional(),
});

/** `moco notebook`: runs a notebook from start to end and fails if anything in it does. */
export function notebookCommand(): Command {
  return new Command("notebook")
    .description("run a notebook without a browser; the executed notebook goes to runs/notebooks")
    .argument("<notebook>", "its number (03) or its path")
    .option("--preset <name>", "size of the runs: smoke, quick, small or paper", "quick")
    .option("--seeds <count>", "seeds for each cell of the table (default: as the notebook says)")
    .option("--fresh", "train again what was trained before")
    .option("--output <path>", "where the executed notebook goes")
    .action(async (notebook: string, given: unknown) => {
      const options = parseOptions(given);
      const path = findNotebook(notebook);
      const { preset, seeds, fresh, output } = options;
      process.exitCode = await runNotebook({
        path,
        parameters: { preset, ...(seeds === undefined ? {} : { seeds }), ...(fresh === undefined ? {} : { fresh }) },
        output: output ?? executedNotebookPath(path, preset),
      });
    });
}

/** Where `moco notebook` and `moco reproduce` put an executed notebook. */
export function executedNotebookPath(path: string, preset: string): string {
  return join(projectRoot, "runs", "notebooks", `${basename(path, ".ipynb")}-${preset}.ipynb`);
}

/**
 * Finds a notebook by its number ("3", "03") or its path.
 *
 * @throws InputError if there is none, with the notebooks that there are
 */
export function findNotebook(numberOrPath: string): string {
  if (numberOrPath.endsWith(".ipynb")) {
    if (!existsSync(numberOrPath)) {
      throw new InputError(`Cannot find the notebook: there is no file ${numberOrPath}`);
    }
    return numberOrPath;
  }
  const folder = join(projectRoot, "notebooks");
  const names = readdirSync(folder).filter((name) => /^\d\d-.*\.ipynb$/.test(name));
  const name = names.find((one) => /^\d+$/.test(numberOrPath) && Number(one.slice(0, 2)) === Number(numberOrPath));
  if (name === undefined) {
    throw new InputError(
      `Cannot find the notebook ${numberOrPath}: give a path, or the number of one of ${names.sort().join(", ") || "none"}`,
    );
  }
  return join(folder, name);
}

/**
 * Runs a notebook in the moco-kit kernel (kernel/run_notebook.py).
 *
 * Ctrl-C and SIGTERM reach the run once, also where the terminal would send them to every process: the kernel then
 * finishes its step and writes a checkpoint. If this process is killed, the run ends with it.
 *
 * @returns the exit code: 0 ran, 1 failed, 2 wrong input, 130 interrupted, 143 terminated
 * @throws InputError if the Python environment is missing
 */
export function runNotebook({ path, parameters, output, onLine }: NotebookRun): Promise<number> {
  const python = pythonProgram("python");
  const script = join(projectRoot, "kernel", "run_notebook.py");
  const options = ["--output", output, "--parameters", JSON.stringify(parameters), "--end-with-parent"];
  return new Promise((resolve, reject) => {
    const child = spawn(python, [script, path, ...options], {
      // A process group of its own, so that the terminal's Ctrl-C does not reach it beside the forwarded one.
      detached: true,
      stdio: ["ignore", onLine === undefined ? "inherit" : "pipe", "inherit"],
    });
    const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
    process.on("SIGINT", forward);
    process.on("SIGTERM", forward);
    if (onLine !== undefined) {
      createInterface({ input: child.stdout! }).on("line", onLine);
    }
    const done = (): void => {
      process.off("SIGINT", forward);
      process.off("SIGTERM", forward);
    };
    child.on("error", (error) => {
      done();
      reject(new InputError(`Cannot start ${relative(projectRoot, python)}: ${error.message}; run npm run setup`));
    });
    child.on("close", (code) => {
      done();
      // Without a code the runner was killed by a signal.
      resolve(code ?? 1);
    });
  });
}

function parseOptions(given: unknown): z.infer<typeof optionsSchema> {
  const parsed = optionsSchema.safeParse(given);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new InputError(`Cannot run the notebook: --${issue.path.join(".")}: ${issue.message}`);
  }
  return parsed.data;
}
