/** What a reader is told of a failed cell: the fields of Jupyter's `error` message. */
"use strict";

const { inspect } = require("node:util");
const { printable } = require("../dist/files/printable.js");

/** Characters of a type in a message; the compiler writes out types of ten lines. */
const LONGEST_TYPE = 80;

/** Of a stack, and of errors in one. */
const MOST_LINES = 10;

/** A line of a stack, in a cell or in an own file, which has a path from the root. */
const WRITTEN_BY_AUTHOR = /^ +at (?:.*\()?(?:In\[\d+\]|[^/\s()][^()]*\.tsx?):\d+:\d+\)?$/;

/** What sets a terminal's colors; JupyterLab shows them too. */
const COLOR = /(\u001b\[[\d;]*m)/;

/** tslab writes down the types of what a cell declares; this is the compiler's word when one has no name. */
const UNNAMED_TYPE = /^Exported variable '([^']+)' has or is using (?:private )?name '([^']+)'/;

/**
 * The fields for a thrown value: its message, the lines of cells it passed through, and its causes.
 *
 * @param kind - said before the name, for an error that no cell waited for
 * @param cell - the cell that failed by it, its `name` and where it `awaits`: Node's own asynchronous functions, and libraries that
 *   return a promise without `await`, leave no line of the cell in the stack
 */
function thrownFields(thrown, { kind, cell: { name: cellName, awaits } = {} } = {}) {
  if (thrown?.code === "ERR_SCRIPT_EXECUTION_INTERRUPTED") {
    return interruptedFields({ name: "Interrupted", message: "the cell was stopped in a synchronous stretch" });
  }
  const { name, message, stack } = describe(thrown);
  const fields = kind === undefined ? { ename: name, evalue: message } : { ename: kind, evalue: `${name}: ${message}` };
  const lines = linesOfCells(stack);
  if (awaits !== undefined && thrown instanceof Error && !lines.some((line) => line.includes(`${cellName}:`))) {
    lines.push(`    at ${cellName}:${awaits}`);
  }
  const traceback = [`${fields.ename}: ${fields.evalue}`, ...lines];
  for (const cause of causesOf(thrown)) {
    const described = describe(cause);
    traceback.push(`Caused by ${described.name}: ${described.message}`, ...linesOfCells(described.stack));
  }
  return harmless({ ...fields, traceback });
}

/** The causes of an error and theirs, each once; of one that stands for several (`Promise.any`), all of these. */
function causesOf(thrown, said = new Set([thrown])) {
  const { cause, errors } = Object(thrown);
  return [cause, ...(thrown instanceof AggregateError ? errors.slice(0, MOST_LINES) : [])].flatMap((one) => {
    if (one === undefined || said.has(one)) {
      return [];
    }
    said.add(one);
    return [one, ...causesOf(one, said)];
  });
}

/** A function that calls itself without end is on the stack many times. */
function linesOfCells(stack) {
  return stack
    .split("\n")
    .filter((line) => WRITTEN_BY_AUTHOR.test(line))
    .slice(0, MOST_LINES);
}

function describe(thrown) {
  if (thrown instanceof Error) {
    // Node adds the files of the kernel that asked for a module.
    const message = thrown.message.replace(/\nRequire stack:\n(?:- .*\n?)*$/, "");
    return { name: String(thrown.name), message, stack: thrown.stack ?? String(thrown) };
  }
  return { name: "Thrown value", message: typeof thrown === "string" ? thrown : inspect(thrown), stack: "" };
}

/**
 * The fields for a cell that does not compile.
 *
 * @param diagnostics - as tslab prints them, `{ file, line, column, message }`: the lines of one explanation follow each
 *   other and have one position
 */
function compileFields(cellName, diagnostics) {
  const explanations = [];
  for (const { file, line, column, message } of diagnostics) {
    const latest = explanations.at(-1);
    if (latest?.line === line && latest.column === column) {
      latest.messages.push(message);
    } else {
      explanations.push({ file, line, column, messages: [message] });
    }
  }
  const said = explanations.map(({ file, line, column, messages }) => ({
    text: shortest(messages),
    where: `${file || cellName}:${line}:${column}`,
  }));
  return harmless({
    ename: "CompileError",
    evalue: said[0].text,
    traceback: said.flatMap(({ text, where }) => [`CompileError: ${text}`, `    at ${where}`]),
  });
}

/** A message may hold names from files, and a runner prints it to a terminal: colors stay, nothing else steers it. */
function harmless({ ename, evalue, traceback }) {
  const show = (text) =>
    text
      .split(COLOR)
      .map((part, index) => (index % 2 === 0 ? printable(part) : part))
      .join("");
  return { ename: show(ename), evalue: show(evalue), traceback: traceback.map(show) };
}

/** The last line of an explanation is the most specific; one with a suggestion is better still. */
function shortest(messages) {
  const unnamed = UNNAMED_TYPE.exec(messages[0]);
  if (unnamed !== null) {
    return `Cannot keep '${unnamed[1]}' for later cells: its type uses '${unnamed[2]}', which its module does not export; give it a type, or use it inside a function.`;
  }
  const message = messages.findLast((line) => line.includes("Did you mean")) ?? messages.at(-1);
  const short = message
    .replace(/^Object literal may only specify known properties, (?:but|and) /, "")
    .replaceAll(/(\?: [^;{}]*?) \| undefined(?=[;,} ])/g, "$1")
    .replaceAll(/'([^'\n]*)'/g, (quoted, type) =>
      type.length > LONGEST_TYPE ? `'${type.slice(0, LONGEST_TYPE)}…'` : quoted,
    );
  const suggestion = / (Did you mean [^?]*\?)/.exec(short);
  if (suggestion === null) {
    return short;
  }
  const first = suggestion[1].replace(/(?:to write )?'([^']*)'/, "$1");
  return `${first} ${short.replace(suggestion[0], "")}`;
}

/** The fields for a cell that the user stopped. */
function interruptedFields({ name, message }) {
  return { ename: name, evalue: message, traceback: [`${name}: ${message}`] };
}

module.exports = { thrownFields, compileFields, interruptedFields };
