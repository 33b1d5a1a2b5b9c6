/** The steps of the set-up. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ADDON, buildAddon, OWN_SOURCES } from "./addon.mjs";
import { hashFiles } from "./stamp.mjs";

/*
 * A step has
 *   id, title, seconds   its name in the stamp and on the screen, and about how long it takes
 *   needs                what it needs of the machine (machine.mjs)
 *   after                the steps whose results it builds on
 *   inputs(project)      what it reads; a change makes it run again
 *   present(project)     whether its result is there
 *   run(project, tools)  makes the result, whatever was there before; tools.run runs a command, tools.python and
 *                        tools.compiler are the commands found
 * A project is { root, gpu }.
 */

const npmPackages = {
  id: "npm",
  title: "npm packages",
  seconds: 20,
  needs: ["npm", "disk"],
  after: [],
  inputs({ root }) {
    const { dependencies, devDependencies, overrides } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    return [dependencies, devDependencies, overrides, hashFiles(root, ["package-lock.json", ".npmrc"])];
  },
  present: ({ root }) => existsSync(join(root, "node_modules/.package-lock.json")),
  async run(_project, tools) {
    // The install script of tfjs-node-gpu would fetch a libtensorflow of 2022; no package here needs its script.
    await tools.run("npm", ["ci", "--ignore-scripts", "--include=dev", "--loglevel=error"]);
  },
};

const pythonPackages = {
  id: "python",
  title: "Python packages",
  seconds: 60,
  needs: ["python", "disk"],
  after: [],
  // The scripts in .venv/bin name the folder they were installed in, so a moved checkout gets a new one.
  inputs: ({ root, gpu }) => [root, hashFiles(root, [requirements(gpu)])],
  present: ({ root }) => existsSync(join(root, ".venv/bin/python")),
  async run({ root, gpu }, tools) {
    rmSync(join(root, ".venv"), { recursive: true, force: true });
    await tools.run(tools.python, ["-m", "venv", ".venv"]);
    const options = ["--require-hashes", "--no-input", "--disable-pip-version-check"];
    await tools.run(join(root, ".venv/bin/python"), ["-m", "pip", "install", ...options, "-r", requirements(gpu)]);
  },
};

function requirements(gpu) {
  return gpu ? "setup/requirements-gpu.txt" : "setup/requirements.txt";
}

const addon = {
  id: "addon",
  title: "TensorFlow addon",
  seconds: 10,
  needs: ["compiler"],
  after: [npmPackages, pythonPackages],
  inputs: ({ root }) => hashFiles(root, ["setup/addon.mjs", ...OWN_SOURCES]),
  present: ({ root }) => existsSync(join(root, ADDON)),
  run: ({ root }, tools) => buildAddon(root, tools.compiler, tools.run),
};

const notebooks = {
  id: "notebooks",
  title: "notebook kernel",
  seconds: 4,
  needs: [],
  after: [pythonPackages],
  inputs: ({ root }) => hashFiles(root, ["kernel"]),
  present: ({ root }) => existsSync(join(root, ".venv/share/jupyter/kernels/moco-kit/kernel.json")),
  async run({ root }, tools) {
    const python = join(root, ".venv/bin/python");
    // JupyterLab asks on its first start whether it may fetch news.
    const settings = join(root, ".venv/share/jupyter/lab/settings/overrides.json");
    mkdirSync(dirname(settings), { recursive: true });
    const quiet = { "@jupyterlab/apputils-extension:notification": { fetchNews: "false", checkForUpdates: false } };
    writeFileSync(settings, `${JSON.stringify(quiet, undefined, 2)}\n`);
    // pip builds in the source folder: from a copy, so that kernel/ stays as it is.
    const source = join(root, ".venv/papermill-typescript");
    cpSync(join(root, "kernel/papermill-typescript"), source, { recursive: true });
    const offline = ["--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check"];
    await tools.run(python, ["-m", "pip", "install", "--force-reinstall", ...offline, source]);
    rmSync(source, { recursive: true });
    const kernelspec = ["install", "--sys-prefix", "--name", "moco-kit", "kernel"];
    await tools.run(python, ["-m", "jupyter_client.kernelspecapp", ...kernelspec]);
  },
};

const library = {
  id: "library",
  title: "library",
  seconds: 10,
  needs: [],
  after: [npmPackages],
  inputs: ({ root }) => hashFiles(root, ["src", "wasm", "tsconfig.json", "tsconfig.build.json"]),
  present: ({ root }) => existsSync(join(root, COMMAND)),
  async run({ root }, tools) {
    const started = Date.now();
    await tools.run(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json"]);
    await tools.run(process.execPath, ["node_modules/assemblyscript/bin/asc.js", "--config", "wasm/asconfig.json"]);
    removeOlder(join(root, "dist"), started);
  },
};

const COMMAND = "dist/cli/main.js";

/** Removes what the compiler did not write just now: it belongs to a source that is gone. */
function removeOlder(folder, time) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) removeOlder(path, time);
    else if (statSync(path).mtimeMs < time - 1000) rmSync(path);
  }
}

/** All steps, in the order in which they run. */
export const steps = [npmPackages, pythonPackages, addon, notebooks, library];
