/**
 * Runs cells by tslab's executor, one after the other, and tells what came of each.
 *
 * What is thrown or rejected where no cell waits for it (a timer, a lost promise) fails the cell that runs then, or the
 * next one.
 */
"use strict";

const { setImmediate: nextTurn } = require("node:timers/promises");
const { nameCells } = require("./cell-positions.js");
const { compileFields, interruptedFields, thrownFields } = require("./error-text.js");
const { keepingDeclarations } = require("./failed-cells.js");
const { Interrupted, cellOfCode, watchInterrupts } = require("./interrupts.js");
const { sendOutputs } = require("./outputs.js");
const { hideCellsInValues, resultBundle } = require("./value-text.js");

/** Cells of one kernel, of a notebook in this folder. `executor`: tslab's, for inspection and completion. `ran`: the cells that ran, for the history. */
function createCells(typescript, ownConverter, notebookFolder) {
  const ran = [];
  /** The cell that runs or, between cells, the one that ran last. */
  let latest;
  /** The first failure that no cell waited for and no cell has reported yet, as fields of the `error` message. */
  let lateFailure;

  const converter = keepingDeclarations(typescript, ownConverter, () => executor.locals);
  const executor = require("tslab/dist/executor").createExecutor(
    process.cwd(),
    { node: converter, browser: converter, close: converter.close },
    {
      log: (value) => (latest.result = resultBundle(value)),
      // tslab prints what a cell threw, or the compiler's messages part by part.
      error: (...printed) => {
        if (printed.length === 1) {
          latest.error = thrownFields(printed[0], { cell: latest });
        } else {
          const [, file, line, column, message] = printed;
          latest.diagnostics.push({ file: file.trim(), line, column, message });
        }
      },
    },
  );

  process.exit = (code) => {
    throw new Error(`Cannot exit: process.exit(${code ?? ""}) would end the kernel; throw an error to fail the cell`);
  };
  Object.defineProperty(process, "stdin", {
    get() {
      throw new Error(
        "Cannot read process.stdin: a notebook has no keyboard input; put what you would type into the cell",
      );
    },
  });
  hideCellsInValues();
  nameCells(() => {
    latest.runsSince = performance.now();
    return latest.name;
  }, notebookFolder);
  watchInterrupts(() => (latest?.runs === true ? latest : undefined));
  watchLateFailures((failure) => {
    lateFailure ??= failure;
    if (latest?.runs !== true) {
      // Perhaps no cell follows that could report it.
      process.stderr.write(`${failure.traceback.join("\n")}\n`);
    }
  });

  let counted = 0;
  /** Runs the cell of an execute_request; `send(type, content)` sends its outputs. Returns the reply's content. */
  async function runCell({ code, silent = false, store_history: stored = true }, send) {
    const count = counted + 1;
    if (!silent && stored) {
      counted = count;
    }
    const cell = {
      name: `In[${count}]`,
      interruptsBefore: globalThis.mocoKernel.interrupts,
      stopsByItself: false,
      stopped: undefined,
      stop: () => executor.interrupt(),
      runs: true,
      // Not yet while it is compiled.
      runsSince: Infinity,
      awaits: undefined,
      diagnostics: [],
      error: undefined,
      result: undefined,
    };
    latest = cell;
    const { publish, flush } = sendOutputs(send);
    if (!silent) {
      publish("execute_input", { code, execution_count: count });
    }
    // A failure that came while no cell ran is already there, or comes in this turn.
    await nextTurn();
    try {
      if (cell.stopped === undefined) {
        await cellOfCode.run(cell, () => executor.execute(code));
      }
    } catch (error) {
      // Where the result's own code that prints it throws.
      cell.error = thrownFields(error);
    }
    // Node tells of a lost rejection after the promises of this turn.
    await nextTurn();
    cell.runs = false;
    converter.keep(cell.error !== undefined || cell.stopped !== undefined);

    if (!silent && stored) {
      ran.push({ count, code, result: cell.result?.["text/plain"] });
    }
    flush();
    const error = errorOf(cell) ?? lateFailure;
    lateFailure = undefined;
    if (error !== undefined) {
      publish("error", error);
      return { status: "error", execution_count: count, ...error };
    }
    if (!silent && cell.result !== undefined) {
      publish("execute_result", { execution_count: count, data: cell.result, metadata: {} });
    }
    return { execution_count: count, payload: [], user_expressions: {} };
  }

  /** Interrupts the cell that runs, unless the user did. Returns whether one still runs. */
  function stopRunning() {
    if (latest?.runs !== true) {
      return false;
    }
    if (globalThis.mocoKernel.interrupts === latest.interruptsBefore) {
      process.emit("SIGINT");
    }
    return true;
  }

  return { executor, ran, runCell, stopRunning };
}

function errorOf(cell) {
  if (cell.stopped !== undefined) {
    return interruptedFields(cell.stopped);
  }
  return cell.diagnostics.length > 0 ? compileFields(cell.name, cell.diagnostics) : cell.error;
}

function watchLateFailures(report) {
  for (const [event, kind] of [
    ["uncaughtException", "uncaught exception"],
    ["unhandledRejection", "unhandled rejection"],
  ]) {
    process.on(event, (thrown) => {
      if (!(thrown instanceof Interrupted)) {
        report(thrownFields(thrown, { kind }));
      }
    });
  }
}

module.exports = { createCells };
