/**
 * Stops what a cell runs when the user interrupts it.
 *
 * A signal is noticed between awaited steps. So the code of cells asks after each of its awaits, and at each step of
 * `for await`, whether it goes on; the library's long functions ask by `stopRequested()`.
 * At `globalThis.mocoKernel` for both:
 *
 * - `interrupts`: how many interrupts (SIGINT) the kernel got since it started;
 * - `stopRequested()`: whether one came since the calling cell began. A cell that asks is trusted to stop by itself:
 *   the first interrupt leaves it running until then, the second stops it;
 * - `goOn(value)`: the value; throws when the calling cell was stopped.
 */
"use strict";

const { AsyncLocalStorage } = require("node:async_hooks");

const TURN_MS = 100;
const LONG_STRETCH_MS = 1000;

/** The cell that a piece of code belongs to, also after its awaits and in its timers. */
const cellOfCode = new AsyncLocalStorage();

class Interrupted extends Error {
  name = "Interrupted";
}

const kernel = {
  interrupts: 0,
  stopRequested() {
    const cell = cellOfCode.getStore();
    if (cell === undefined) {
      return kernel.interrupts > 0;
    }
    cell.stopsByItself = true;
    return kernel.interrupts > cell.interruptsBefore;
  },
  goOn(value) {
    const stopped = cellOfCode.getStore()?.stopped;
    if (stopped !== undefined) {
      throw stopped;
    }
    return value;
  },
};

/**
 * Handles SIGINT.
 *
 * @param runningCell - gives the cell that runs, with its `runsSince`, `interruptsBefore`, `stopsByItself`, `stopped` and
 *   `stop()`
 */
function watchInterrupts(runningCell) {
  globalThis.mocoKernel = kernel;
  const stretchBefore = watchStretches();
  process.on("SIGINT", () => {
    kernel.interrupts += 1;
    const cell = runningCell();
    const first = cell !== undefined && kernel.interrupts === cell.interruptsBefore + 1;
    if (cell === undefined || (first && cell.stopsByItself)) {
      return;
    }
    const stretch = Math.min(stretchBefore(), performance.now() - cell.runsSince);
    cell.stopped ??= new Interrupted(
      stretch < LONG_STRETCH_MS
        ? "the cell was stopped; what it began stops at its next await"
        : `the cell was stopped after a synchronous stretch of ${Math.round(stretch / 1000)} s, which no interrupt ends; put an await into it`,
    );
    cell.stop();
  });
}

/** Measures how long the event loop stood still just before now, in milliseconds. */
function watchStretches() {
  let turn = performance.now();
  let latest = { length: 0, end: 0 };
  setInterval(() => {
    const now = performance.now();
    latest = now - turn > LONG_STRETCH_MS ? { length: now - turn, end: now } : latest;
    turn = now;
  }, TURN_MS).unref();
  return () => {
    const now = performance.now();
    return Math.max(now - turn, now - latest.end < TURN_MS ? latest.length : 0);
  };
}

/** The transformer for `emit`: `await x` becomes `mocoKernel.goOn(await x)`, and so in the body of `for await`. */
function askAfterAwaits(typescript) {
  const { factory } = typescript;
  const goOn = (...values) =>
    factory.createCallExpression(
      factory.createPropertyAccessExpression(
        factory.createPropertyAccessExpression(
          factory.createIdentifier("globalThis"),
          factory.createIdentifier("mocoKernel"),
        ),
        factory.createIdentifier("goOn"),
      ),
      undefined,
      values,
    );

  return (context) => {
    const visit = (node) => {
      const visited = typescript.visitEachChild(node, visit, context);
      if (typescript.isAwaitExpression(node)) {
        return typescript.setTextRange(goOn(visited), node);
      }
      if (typescript.isForOfStatement(node) && node.awaitModifier !== undefined) {
        const body = factory.createBlock([factory.createExpressionStatement(goOn()), visited.statement], true);
        return factory.updateForOfStatement(
          visited,
          visited.awaitModifier,
          visited.initializer,
          visited.expression,
          body,
        );
      }
      return visited;
    };
    return (file) => typescript.visitNode(file, visit);
  };
}

module.exports = { Interrupted, cellOfCode, watchInterrupts, askAfterAwaits };
