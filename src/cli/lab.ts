import { spawn } from "node:child_process";
import { Command } from "commander";
import { projectRoot, pythonProgram } from "./project";

/** `moco lab`: opens the notebooks in JupyterLab. */
export function labCommand(): Command {
  return new Command("lab")
    .description("open the notebooks in JupyterLab")
    .argument("[jupyter options...]", "options for JupyterLab, after --: moco lab -- --no-browser --port 8890")
    .action(async (options: readonly string[]) => {
      const jupyter = pythonProgram("jupyter-lab");
      console.log("JupyterLab opens the notebooks in your browser. Stop it here with Ctrl-C, twice.");
      process.exitCode = await start(jupyter, [
        "--ServerApp.root_dir",
        projectRoot,
        "--LabApp.default_url=/lab/tree/notebooks",
        ...options,
      ]);
    });
}

function start(program: string, options: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, options, { cwd: projectRoot, stdio: "inherit" });
    // The terminal sends Ctrl-C to JupyterLab too, which asks whether to stop; this process waits for it.
    const wait = (): void => undefined;
    const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
    process.on("SIGINT", wait);
    process.on("SIGTERM", forward);
    child.on("error", reject);
    child.on("close", (code) => {
      process.off("SIGINT", wait);
      process.off("SIGTERM", forward);
      resolve(code ?? 0);
    });
  });
}
