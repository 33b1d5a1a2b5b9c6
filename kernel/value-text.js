/** How values are printed, as results of cells and by `console.log`. */
"use strict";

const { inspect } = require("node:util");
const { tableBundle } = require("../dist/display/table.js");

/** So many rows of a DataFrame are shown. */
const MOST_ROWS = 20;

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

/** The result of a cell by MIME type: text, and of a DataFrame or a Series of danfojs a table. */
function resultBundle(value) {
  if (
    ["DataFrame", "Series"].includes(value?.constructor?.name) &&
    Array.isArray(value.values) &&
    value.columns?.length > 0
  ) {
    const rows = value.values.map((row) => (Array.isArray(row) ? row : [row]));
    const caption = rows.length > MOST_ROWS ? `The first ${MOST_ROWS} of ${rows.length} rows` : undefined;
    return tableBundle({ columns: value.columns.map(String), values: rows.slice(0, MOST_ROWS) }, caption);
  }
  const forgotten = value instanceof Promise ? "\nPut await before it to get its value." : "";
  return { "text/plain": inspect(value) + forgotten };
}

module.exports = { hideCellsInValues, resultBundle };
