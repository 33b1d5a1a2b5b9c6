/**
 * Stops what a cell runs when the user interrupts it.
 *
 * A signal is noticed when the event loop turns. So the code of cells lets it turn after an await, if it did not for long, and
 * asks then, and at each step of `for await`, whether it goes on; the library's long functions ask by `stopRequested()`.
 * At `globalThis.mocoKernel` for both:
 *
 * - `interrupts`: how many interrupts (SIGINT) the kernel got since it started;
 * - `stopRequested()`: whether one came since the calling cell began. A cell that asks is trusted to stop by itself:
 *   the first interrupt leaves it running until then, the second stops it;
 * - `turnIsDue()` and `nextTurn()`: whether the event loop stood still for long, and what to await then;
 * - `goOn(value)`: the value; throws when the calling cell was stopped;
 * - `awaiting(value, place)`: the value; notes where the cell awaits it, for an error that has no line of the cell.
 */
"use strict";

const { AsyncLocalStorage } = require("node:async_hooks");
const { setImmediate: nextTurn } = require("node:timers/promises");

const TURN_MS = 100;
const LONG_STRETCH_MS = 1000;
/** A loop that catches the error by which it is stopped would go on for good: after so many it waits for good instead. */
const MOST_THROWN = 1000;

/** The cell that a piece of code belongs to, also after its awaits and in its timers. */
const cellOfCode = new AsyncLocalStorage();

class Interrupted extends Error {
  name = "Interrupted";
}

/** The number of the latest interrupt that came while no cell ran: it stops what cells before it left running. */
let latestWhileIdle = 0;
/** When the event loop turned last, at most TURN_MS late. */
let turn = performance.now();

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
  turnIsDue: () => performance.now() - turn > TURN_MS || catchesAll(),
  /** A signal that waits is handled at the end of a turn: the turn that has begun is not enough. */
  async nextTurn() {
    if (catchesAll()) {
      await new Promise(() => undefined);
    }
    await nextTurn();
    await nextTurn();
  },
  awaiting(value, place) {
    cellOfCode.getStore().awaits = place;
    return value;
  },
  goOn(value, _turned, inCellItself = false) {
    const cell = cellOfCode.getStore();
    if (inCellItself) {
      cell.awaits = undefined;
    }
    const ended = cell?.interruptsBefore < latestWhileIdle && !cell.stopsByItself;
    const stopped =
      cell?.stopped ??
      (ended ? new Interrupted("the cell had ended, and what it left running was stopped") : undefined);
    if (stopped !== undefined) {
      cell.thrown = (cell.thrown ?? 0) + 1;
      throw stopped;
    }
    return value;
  },
};

function catchesAll() {
  return cellOfCode.getStore()?.thrown >= MOST_THROWN;
}

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
    if (cell === undefined) {
      latestWhileIdle = kernel.interrupts;
      return;
    }
    if (cell.stopsByItself && kernel.interrupts === cell.interruptsBefore + 1) {
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

/**
 * The transformer for `emit`. Of `await x` in a function it makes
 * `mocoKernel.goOn(await x, mocoKernel.turnIsDue() && await mocoKernel.nextTurn())`, and `for await` asks at each step. An await
 * of the cell itself also tells its place, since there is one at a time.
 *
 * @param linesAbove - lines that stand above a cell
 */
function askAtAwaits(typescript, linesAbove) {
  const { factory } = typescript;
  const call = (name, ...values) =>
    factory.createCallExpression(
      factory.createPropertyAccessExpression(
        factory.createPropertyAccessExpression(
          factory.createIdentifier("globalThis"),
          factory.createIdentifier("mocoKernel"),
        ),
        factory.createIdentifier(name),
      ),
      undefined,
      values,
    );

  const placeOf = (node) => {
    const original = typescript.getOriginalNode(node);
    const file = original.getSourceFile();
    const { line, character } = file.getLineAndCharacterOfPosition(original.getStart(file));
    return factory.createStringLiteral(`${line + 1 - linesAbove}:${character + 1}`);
  };

  return (context) => {
    const visitor = (inFunction) => (node) => {
      const visited = typescript.visitEachChild(node, visitor(inFunction || typescript.isFunctionLike(node)), context);
      if (typescript.isAwaitExpression(node)) {
        const turn = factory.createLogicalAnd(call("turnIsDue"), factory.createAwaitExpression(call("nextTurn")));
        const asked = inFunction
          ? call("goOn", visited, turn)
          : call(
              "goOn",
              factory.updateAwaitExpression(visited, call("awaiting", visited.expression, placeOf(node))),
              turn,
              factory.createTrue(),
            );
        return typescript.setTextRange(asked, node);
      }
      if (typescript.isForOfStatement(node) && node.awaitModifier !== undefined) {
        const body = factory.createBlock([factory.createExpressionStatement(call("goOn")), visited.statement], true);
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
    return (file) => typescript.visitNode(file, visitor(false));
  };
}

module.exports = { Interrupted, cellOfCode, watchInterrupts, askAtAwaits };
