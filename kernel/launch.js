/**
 * Starts the TypeScript kernel for Jupyter at the project's root.
 *
 * Jupyter starts a kernel in the notebook's folder, and tslab resolves imports from its working directory: so the
 * launcher changes to the root, where `import ... from "moco-kit"` resolves.
 */
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { Worker } = require("node:worker_threads");

const root = path.dirname(__dirname);
const connectionFile = process.argv[2] && path.resolve(process.argv[2]);
// Cells get another process.exit, and process.stderr for themselves.
const exit = process.exit.bind(process);
const writeLog = process.stderr.write.bind(process.stderr);

function stop(message) {
  writeLog(`Cannot start the moco-kit kernel: ${message}\n`);
  exit(1);
}

if (connectionFile === undefined) {
  stop("it is started by Jupyter, with a connection file. To open the notebooks, run npx moco lab");
}
for (const needed of ["node_modules/tslab/package.json", "dist/index.js"]) {
  if (!fs.existsSync(path.join(root, needed))) {
    stop(`${needed} is missing. Run npm run setup in ${root}`);
  }
}

// Jupyter names its own process in the environment. When that is gone, nobody can stop the kernel any more; without
// this watch, training would go on unseen after its notebook server or runner was killed. A thread of its own also
// sees it while a cell computes without a pause.
const parent = Number(process.env.JPY_PARENT_PID);
if (parent > 0 && process.ppid === parent) {
  new Worker(`setInterval(() => { if (process.ppid !== ${parent}) process.kill(process.pid, "SIGKILL"); }, 250);`, {
    eval: true,
  }).unref();
}

const notebookFolder = process.cwd();
process.chdir(root);
require("../dist/engine/environment.js");
const typescript = require("./compiler.js").install();
require("./cell-positions.js").install();
const { createKernel } = require("./kernel.js");
const { serve } = require("./server.js");

serve(connectionFile, createKernel(typescript, notebookFolder, exit), (text) => writeLog(`${text}\n`)).catch((error) =>
  stop(error.message),
);
