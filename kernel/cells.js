/**
 * What the kernel knows about its cells, at `globalThis.mocoKernel`, for the library:
 *
 * - `interrupts`: how many interrupts (SIGINT) the kernel got since it started;
 * - `stopRequested()`: whether one came since the calling cell began. A cell that asks is trusted to stop by itself:
 *   the first interrupt leaves it running until then, the second ends the wait for it.
 *
 * It also keeps the error of a failed cell, for protocol.js to send.
 * What is thrown or rejected where no cell waits for it (a timer, a lost promise) fails the cell that runs then, or the
 * next one.
 */
"use strict";

const { AsyncLocalStorage } = require("node:async_hooks");
const { setImmediate: nextTurn } = require("node:timers/promises");
const { nameCells } = require("./cell-positions.js");
const { compileFields, thrownFields } = require("./error-text.js");

/** The cell that a piece of code belongs to, also after its awaits and in its timers. */
const currentCell = new AsyncLocalStorage();

const kernel = {
  interrupts: 0,
  stopRequested() {
    const cell = currentCell.getStore();
    if (cell === undefined) {
      return kernel.interrupts > 0;
    }
    cell.stopsByItself = true;
    return kernel.interrupts > cell.interruptsBefore;
  },
};

/** The cell that runs or, between cells, the one that ran last. */
let runningCell;
/** The first failure that no cell waited for and no cell has reported yet, as fields of the `error` message. */
let lateFailure;

/** Must run after cell-positions.install() and before the kernel starts. */
function install() {
  globalThis.mocoKernel = kernel;
  process.exit = (code) => {
    throw new Error(`Cannot exit: process.exit(${code ?? ""}) would end the kernel; throw an error to fail the cell`);
  };

  keepErrors(require("tslab/dist/executor"));
  followCells(require("tslab/dist/jupyter").JupyterHandlerImpl.prototype);
  nameCells(() => runningCell.name);
}

/** tslab prints what a cell threw and the compiler's messages; here the cell keeps them instead. */
function keepErrors(executor) {
  const { createExecutor } = executor;
  executor.createExecutor = (root, converters, { log }) =>
    createExecutor(root, converters, {
      log,
      error: (...printed) => {
        if (printed.length === 1) {
          runningCell.error = thrownFields(printed[0]);
        } else {
          const [, file, line, column, message] = printed;
          runningCell.diagnostics.push({ file: file.trim(), line, column, message });
        }
      },
    });
}

function followCells(prototype) {
  const { handleExecuteImpl } = prototype;
  prototype.handleExecuteImpl = async function (request, writeStream, writeDisplayData) {
    const cell = {
      name: `In[${this.execCount + 1}]`,
      interruptsBefore: kernel.interrupts,
      stopsByItself: false,
      runs: true,
      diagnostics: [],
      error: undefined,
    };
    runningCell = cell;
    try {
      // A failure that came while no cell ran is already there, or comes in this turn.
      await nextTurn();
      const count = await currentCell.run(cell, () =>
        handleExecuteImpl.call(this, request, writeStream, writeDisplayData),
      );
      // Node tells of a lost rejection after the promises of this turn.
      await nextTurn();
      if (lateFailure !== undefined || cell.diagnostics.length > 0) {
        throw count;
      }
      return count;
    } finally {
      if (cell.diagnostics.length > 0) {
        cell.error = compileFields(cell.name, cell.diagnostics);
      }
      cell.error ??= lateFailure;
      lateFailure = undefined;
      cell.runs = false;
    }
  };
}

/** Takes interrupts and late failures over from tslab. Must run after the kernel has started. */
function takeEvents() {
  const tslabListeners = process.listeners("SIGINT");
  process.removeAllListeners("SIGINT");
  process.on("SIGINT", () => {
    kernel.interrupts += 1;
    const first = runningCell !== undefined && kernel.interrupts === runningCell.interruptsBefore + 1;
    if (!(first && runningCell.stopsByItself)) {
      tslabListeners.forEach((listener) => listener());
    }
  });
  for (const [event, kind] of [
    ["uncaughtException", "uncaught exception"],
    ["unhandledRejection", "unhandled rejection"],
  ]) {
    process.removeAllListeners(event);
    process.on(event, (thrown) => {
      const failure = thrownFields(thrown, kind);
      lateFailure ??= failure;
      if (runningCell?.runs !== true) {
        // Perhaps no cell follows that could report it.
        process.stderr.write(`${failure.traceback.join("\n")}\n`);
      }
    });
  }
}

/** The error of the cell that ran last, as fields of the protocol's `error` message. */
function latestError() {
  return runningCell.error;
}

module.exports = { install, latestError, takeEvents };
