import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { createInterface } from "node:readline";
import { Command } from "commander";
import { z } from "zod";
import { InputError } from "../errors";
import { paperPreset } from "../experiments/paper-scale/paper-ablation";
import { presetNames } from "../recipes/presets";
import { runsFolder } from "../runs/run-name";
import { integerFrom } from "./numbers";
import { assertPaperData, assertPaperFolder, paperDataOption } from "./paper-flags";
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
  preset: z.enum([...presetNames, paperPreset]).optional(),
  data: z.string().min(1).optional(),
  seeds: z.number().optional(),
  recorded: z.boolean().optional(),
  output: z.string().min(1).optional(),
});

/** `moco notebook`: runs a notebook from start to end and fails if anything in it does. */
export function notebookCommand(): Command {
  return new Command("notebook")
    .description("run a notebook without a browser; the executed notebook goes to runs/notebooks")
    .argument("<notebook>", "its number (03) or its path")
    .option("--preset <name>", `size of the runs: ${presetNames.join(" or ")} (default: as the notebook says)`)
    .addHelpText(
      "after",
      `\nNotebooks 01 to 04 take --preset ${paperPreset}: the paper's own rows, by its own recipes; --data says where ImageNet is.`,
    )
    .addOption(paperDataOption())
    .option("--seeds <count>", "seeds for each cell of the table (default: as the notebook says)", integerFrom(1, 100))
    .option("--recorded", "show what was recorded for the repository, and train nothing")
    .option("--output <path>", "where the executed notebook goes")
    .action(async (notebook: string, given: unknown) => {
      const options = parseOptions(given);
      const path = findNotebook(notebook);
      const { preset, data, seeds, recorded, output } = options;
      if (preset === paperPreset && !hasParameter(path, datasetParameter)) {
        throw new InputError(
          `Cannot run ${basename(path)} with --preset ${paperPreset}: it has no rows of the paper's own; notebooks 01 to 04 have`,
        );
      }
      assertPaperData(options);
      if (preset === paperPreset && !recorded) assertPaperFolder(data);
      process.exitCode = await runNotebook({
        path,
        parameters: {
          ...(preset !== undefined && { preset }),
          ...(data !== undefined && { [datasetParameter]: data }),
          ...(seeds !== undefined && { seeds }),
          // A notebook opens with what was recorded; who runs one from here wants it run.
          ...(recorded === undefined ? hasParameter(path, anewParameter) && { [anewParameter]: true } : {}),
        },
        output: output ?? executedNotebookPath(path, recorded ? "recorded" : (preset ?? "quick")),
      });
    });
}

/** The parameter of the kit's notebooks that says whether they train or show what was recorded. */
export const anewParameter = "anew";

/** The parameter of notebooks 01 to 04 that says where ImageNet is. */
const datasetParameter = "dataset";

/** Whether a notebook's cell tagged `parameters` declares a constant. What is no notebook has none. */
function hasParameter(path: string, name: string): boolean {
  try {
    const { cells } = notebookSchema.parse(JSON.parse(readFileSync(path, "utf8")));
    const source = cells.find(({ metadata }) => metadata.tags?.includes("parameters"))?.source ?? "";
    return new RegExp(`^const ${name}\\b`, "m").test([source].flat().join(""));
  } catch {
    return false; // the run says what is wrong with the file
  }
}

const notebookSchema = z.object({
  cells: z.array(
    z.object({
      source: z.union([z.string(), z.array(z.string())]),
      metadata: z.object({ tags: z.array(z.string()).optional() }),
    }),
  ),
});

/** Where `moco notebook` and `moco reproduce` put an executed notebook. */
export function executedNotebookPath(path: string, preset: string): string {
  return join(runsFolder, "notebooks", `${basename(path, ".ipynb")}-${preset}.ipynb`);
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
