/**
 * What the kernel knows about its cells, at `globalThis.mocoKernel`, for the library:
 *
 * - `interrupts`: how many interrupts (SIGINT) the kernel got since it started;
 * - `stopRequested()`: whether one came since the calling cell began. A cell that asks is trusted to stop by itself:
 *   the first interrupt leaves it running until then, the second ends the wait for it.
 *
 * It also sends what Jupyter's protocol asks of a failed cell and tslab 1.0.22 leaves out: an `error` output, and the
 * error's name, message and traceback in the reply. Without them papermill reports an empty error, and nbmake a success.
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
  const { JupyterHandlerImpl, ZmqServer } = require("tslab/dist/jupyter");
  followCells(JupyterHandlerImpl.prototype);
  sendErrors(JupyterHandlerImpl.prototype, ZmqServer.prototype);
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

function sendErrors(handler, server) {
  const errorOfRequest = new WeakMap();
  const answer = handler.handleExecute;
  handler.handleExecute = async function (request, writeStream, writeDisplayData) {
    const reply = await answer.call(this, request, writeStream, writeDisplayData);
    if (reply.status !== "error") {
      return reply;
    }
    const { error } = runningCell;
    errorOfRequest.set(request, error);
    return { ...reply, ...error };
  };

  const execute = server.handleExecute;
  server.handleExecute = function (socket, message) {
    const replyAfterError = {
      send: (frames) => {
        const error = errorOfRequest.get(message.content);
        if (error !== undefined) {
          const output = message.createReply();
          output.header.msg_type = "error";
          output.content = error;
          output.signAndSend(this.connInfo.key, this.iopub);
        }
        return socket.send(frames);
      },
    };
    return execute.call(this, replyAfterError, message);
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

module.exports = { install, takeEvents };
