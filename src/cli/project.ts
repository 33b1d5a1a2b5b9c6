import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { InputError } from "../errors";

/** The folder of the project, wherever the command was started. */
export const projectRoot = resolve(__dirname, "..", "..");

/**
 * A program of the project's Python environment.
 *
 * @param name - for example "python"
 * @throws InputError if the set-up has not made it
 */
export function pythonProgram(name: string): string {
  const file = join(projectRoot, ".venv", "bin", name);
  if (!existsSync(file)) {
    throw new InputError(`Cannot start ${name}: ${join(".venv", "bin", name)} is missing; run npm run setup`);
  }
  return file;
}
