/**
 * What the kernel knows about its cells, at `globalThis.mocoKernel`, for the library and for run_notebook.py:
 *
 * - `interrupts`: how many interrupts (SIGINT) the kernel got since it started;
 * - `stopRequested()`: whether one came since the calling cell began. A cell that asks is trusted to stop by itself:
 *   the first interrupt leaves it running until then, the second ends the wait for it;
 * - `lateFailures`: what was thrown or rejected where no cell waited for it (a timer, a lost promise), as
 *   `{ kind, name, message, stack }`.
 *
 * It also sends what Jupyter's protocol asks of a failed cell and tslab 1.0.22 leaves out: an `error` output, and the
 * error's name, message and stack in the reply. Without them papermill reports an empty error, and nbmake a success.
 */
"use strict";

const { AsyncLocalStorage } = require("node:async_hooks");
const { nameCells } = require("./cell-positions.js");

/** The cell that a piece of code belongs to, also after its awaits and in its timers. */
const currentCell = new AsyncLocalStorage();

const kernel = {
  interrupts: 0,
  lateFailures: [],
  stopRequested() {
    const cell = currentCell.getStore();
    if (cell === undefined) {
      return kernel.interrupts > 0;
    }
    cell.stopsByItself = true;
    return kernel.interrupts > cell.interruptsBefore;
  },
};

let runningCell;

/** Must run after cell-positions.install() and before the kernel starts. */
function install() {
  globalThis.mocoKernel = kernel;
  process.on("uncaughtException", (error) => rememberLate("uncaught exception", error));
  process.on("unhandledRejection", (reason) => rememberLate("unhandled rejection", reason));
  process.exit = (code) => {
    throw new Error(`Cannot exit: process.exit(${code ?? ""}) would end the kernel; throw an error to fail the cell`);
  };

  const { JupyterHandlerImpl, ZmqServer } = require("tslab/dist/jupyter");
  followCells(JupyterHandlerImpl.prototype);
  sendErrors(JupyterHandlerImpl.prototype, ZmqServer.prototype);
  nameCells(
    () => runningCell.name,
    (run) => rememberError(runningCell, run),
  );
}

function followCells(prototype) {
  const { handleExecuteImpl } = prototype;
  prototype.handleExecuteImpl = function (request, writeStream, writeDisplayData) {
    const cell = {
      name: `In[${this.execCount + 1}]`,
      interruptsBefore: kernel.interrupts,
      stopsByItself: false,
      error: undefined,
    };
    runningCell = cell;
    return currentCell.run(cell, () => handleExecuteImpl.call(this, request, writeStream, writeDisplayData));
  };
}

function sendErrors(handler, server) {
  const errorOfRequest = new WeakMap();
  const answer = handler.handleExecute;
  handler.handleExecute = async function (request, writeStream, writeDisplayData) {
    let errorText = "";
    const keepErrorText = (stream, text) => {
      if (stream === "stderr") errorText += text;
      writeStream(stream, text);
    };
    const reply = await answer.call(this, request, keepErrorText, writeDisplayData);
    if (reply.status !== "error") {
      return reply;
    }
    const error = errorFields(runningCell, errorText);
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
          // The whole stack is on stderr already.
          const inCells = error.traceback.filter((line) => /^ +at .*In\[\d+\]/.test(line));
          output.content = { ...error, traceback: [`${error.ename}: ${error.evalue}`, ...inCells] };
          output.signAndSend(this.connInfo.key, this.iopub);
        }
        return socket.send(frames);
      },
    };
    return execute.call(this, replyAfterError, message);
  };
}

/** Takes the interrupts over from tslab. Must run after the kernel has started. */
function takeInterrupts() {
  const tslabListeners = process.listeners("SIGINT");
  process.removeAllListeners("SIGINT");
  process.on("SIGINT", () => {
    kernel.interrupts += 1;
    const first = runningCell !== undefined && kernel.interrupts === runningCell.interruptsBefore + 1;
    if (!(first && runningCell.stopsByItself)) {
      tslabListeners.forEach((listener) => listener());
    }
  });
}

function rememberError(cell, run) {
  const remember = (error) => {
    cell.error = { value: error };
    throw error;
  };
  try {
    const result = run();
    return result instanceof Promise ? result.catch(remember) : result;
  } catch (error) {
    return remember(error);
  }
}

function errorFields(cell, errorText) {
  if (cell.error !== undefined) {
    const { name, message, stack } = describe(cell.error.value);
    return { ename: name, evalue: message, traceback: stack.split("\n") };
  }
  // A cell that does not compile: tslab wrote "line:column - message" lines.
  const lines = errorText.trimEnd().split("\n");
  const diagnostic = /^(\d+:\d+) - (.*)$/.exec(lines[0]);
  if (diagnostic === null) {
    return { ename: "Error", evalue: lines[0], traceback: lines };
  }
  return {
    ename: "CompileError",
    evalue: diagnostic[2],
    traceback: lines.map((line) => (/^\d+:\d+ - /.test(line) ? `${cell.name}:${line}` : line)),
  };
}

function rememberLate(kind, thrown) {
  kernel.lateFailures.push({ kind, ...describe(thrown) });
}

function describe(thrown) {
  if (thrown instanceof Error) {
    return { name: thrown.name, message: thrown.message, stack: thrown.stack ?? String(thrown) };
  }
  const message = typeof thrown === "string" ? thrown : require("node:util").inspect(thrown);
  return { name: "Thrown value", message, stack: message };
}

module.exports = { install, takeInterrupts };
