import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/** The checkout that is tried. Compiled, this file lies in build/faults/test/faults. */
export const checkout = findCheckout(__dirname);

/** The fault-injecting layer, for `node --require`. */
export const faultyFiles = join(checkout, "test", "files", "faulty-files.cjs");

/** A copy of the built kit with folders of its own, so that trainings of the user stay as they are. */
export interface Installation {
  readonly root: string;
  /** Where its runs go. */
  readonly runs: string;
  /** For whatever else is written. */
  readonly scratch: string;
  readonly remove: () => void;
}

/** Makes a copy in a folder whose name holds blanks, quotes and letters beyond ASCII. What is large is linked. */
export function install(): Installation {
  const folder = mkdtempSync(join(tmpdir(), "moco-faults-"));
  const root = join(folder, `it's a "kit" für 中文`);
  mkdirSync(root);
  for (const name of ["bin", "data-scripts", "dist", "kernel", "notebooks", "package.json"]) {
    cpSync(join(checkout, name), join(root, name), { recursive: true });
  }
  // Only read: notebooks begin with what is recorded.
  symlinkSync(join(checkout, "results"), join(root, "results"));
  linkContents(join(checkout, "node_modules"), join(root, "node_modules"), ["moco-kit"]);
  symlinkSync(root, join(root, "node_modules", "moco-kit"));
  // Jupyter finds the kit from where the kernel's description lies.
  const specs = ["share", "jupyter", "kernels"];
  let [from, to] = [join(checkout, ".venv"), join(root, ".venv")];
  for (const name of specs) {
    linkContents(from, to, [name]);
    [from, to] = [join(from, name), join(to, name)];
  }
  cpSync(from, to, { recursive: true });
  const scratch = join(root, "scratch");
  mkdirSync(scratch);
  return { root, runs: join(root, "runs"), scratch, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

function linkContents(from: string, to: string, except: readonly string[]): void {
  mkdirSync(to);
  for (const name of readdirSync(from)) {
    if (!except.includes(name)) symlinkSync(join(from, name), join(to, name));
  }
}

function findCheckout(folder: string): string {
  const found = existsSync(join(folder, "package.json")) && existsSync(join(folder, "bin", "moco"));
  return found ? folder : findCheckout(resolve(folder, ".."));
}
