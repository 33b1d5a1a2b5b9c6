/**
 * Starts tslab, the TypeScript kernel for Jupyter, at the project's root.
 *
 * Jupyter starts a kernel in the notebook's folder, and tslab resolves imports from its working directory: so the
 * launcher changes to the root, where `import ... from "moco-kit"` resolves.
 */
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { Worker } = require("node:worker_threads");

const root = path.dirname(__dirname);
const connectionFile = process.argv[2];

function stop(message) {
  process.stderr.write(`Cannot start the moco-kit kernel: ${message}\n`);
  process.exit(1);
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

process.chdir(root);
require("../dist/engine/environment.js");
require("./compiler.js").install();
require("./cell-positions.js").install();
const cells = require("./cells.js");
cells.install();
require("./protocol.js").install();
require("tslab/dist/main").startKernel({ configPath: path.resolve(connectionFile), enableFindLocal: false });
cells.takeEvents();
