/** How values are printed, as results of cells and by `console.log`. */
"use strict";

const { inspect } = require("node:util");

/**
 * Node hangs the record of the cell (interrupts.js) on promises and timers by symbols, and would print it with them. Must run
 * before the first cell.
 */
function hideCellsInValues() {
  const print = (prototype, value) =>
    Object.defineProperty(prototype, inspect.custom, { value, configurable: true, writable: true });
  print(Promise.prototype, function () {
    for (const symbol of Object.getOwnPropertySymbols(this)) {
      Reflect.defineProperty(this, symbol, { enumerable: false });
    }
    // Node goes on as if there were no such method.
    return this;
  });
  for (const [timer, clear] of [
    [setTimeout(() => undefined), clearTimeout],
    [setImmediate(() => undefined), clearImmediate],
  ]) {
    clear(timer);
    print(Object.getPrototypeOf(timer), function () {
      return `${this.constructor.name} {}`;
    });
  }
}

/** The result of a cell as text. */
function resultText(value) {
  const forgotten = value instanceof Promise ? "\nPut await before it to get its value." : "";
  return inspect(value) + forgotten;
}

module.exports = { hideCellsInValues, resultText };
