/**
 * Makes errors name the cell and the line that the author wrote.
 *
 * tslab compiles a cell twice (TypeScript to an ES module, that to CommonJS) and runs the result as
 * "evalmachine.<anonymous>", so the lines in its stacks are those of generated code. Here both steps also make a source
 * map, the code runs under the name `In[n]` (n: the execution count), and stacks are printed through the maps.
 * compiler.js puts the compiler's part in; the run's part reaches into `vm.runInThisContext`.
 */
"use strict";

const { existsSync } = require("node:fs");
const { SourceMap } = require("node:module");
const path = require("node:path");
const vm = require("node:vm");
const { exportLiveVariables } = require("./live-variables.js");

const INLINE_MAP = /\n\/\/# sourceMappingURL=data:application\/json;base64,([\w+/=]+)\s*$/;
const WRAPPED_CELL = /^\((async )?function\(exports, require\) \{ /;
const CELL_FILE = "__tslab__.ts";
/** tslab puts `export {};` above each cell, also above one that is a module. */
const LINES_ABOVE_CELL = 1;

/** Libraries may call each other deeply before an error comes: so many calls are looked through for those of cells. */
const MOST_CALLS = 100;
/** So many calls of libraries are printed where a cell prints an error. */
const CALLS_OF_LIBRARIES = 10;

/** The two maps of each cell that ran, by its name, and of own files, by the name that tslab runs them under. */
const mapsOfFile = new Map();
let latestMaps;

/** Must run before the kernel starts. */
function install() {
  Error.stackTraceLimit = MOST_CALLS;
  Error.prepareStackTrace = (error, frames) => {
    const lines = frames.flatMap((frame, index) =>
      index < CALLS_OF_LIBRARIES || mapsOfFile.has(frame.getFileName()) ? (printFrame(frame) ?? []) : [],
    );
    return [describe(error), ...lines].join("\n");
  };
}

/** What compiling a cell needs besides tslab's own options, so that both steps make maps. */
const mapOptions = { inlineSourceMap: true };

/** TypeScript's `transpileModule`, the second step, keeping both maps; the cell's comes after those of files it imports. */
function transpileWithMaps(typescript, source, options) {
  const inline = INLINE_MAP.exec(source);
  const result = typescript.transpileModule(exportLiveVariables(typescript, source.replace(INLINE_MAP, "")), {
    ...options,
    compilerOptions: { ...options.compilerOptions, sourceMap: true },
  });
  if (inline !== null) {
    const toSource = new SourceMap(JSON.parse(Buffer.from(inline[1], "base64").toString()));
    const maps = { toSource, toModule: new SourceMap(JSON.parse(result.sourceMapText)) };
    // From the output folder up to the root and down to the file.
    const file = toSource.payload.sources[0].replace(/^(\.\.\/)+/, "");
    if (file === CELL_FILE) {
      latestMaps = { ...maps, linesAbove: LINES_ABOVE_CELL };
    } else {
      const linesAbove = existsSync(file) ? 0 : LINES_ABOVE_CELL;
      mapsOfFile.set(path.resolve(file).replace(/\.tsx?$/, ".js"), { ...maps, linesAbove, shown: file });
    }
  }
  return result;
}

/**
 * Runs the code of each cell under the cell's name.
 *
 * @param cellName - gives the name of the cell that runs now, `In[3]`
 * @param notebookFolder - what `__dirname` is in cells
 */
function nameCells(cellName, notebookFolder) {
  const run = vm.runInThisContext;
  vm.runInThisContext = (code, options) => {
    const wrapped = typeof code === "string" ? WRAPPED_CELL.exec(code) : null;
    if (wrapped === null) {
      return run(code, options);
    }
    const filename = cellName();
    mapsOfFile.set(filename, latestMaps);
    // breakOnSigint ends a synchronous loop. While it is on, Node takes the signal listeners away and loses signals that
    // come at its begin and end; a cell with an await keeps its listeners instead, so that no interrupt is lost.
    const breakOnSigint = wrapped[1] === undefined;
    const withFolder = `((__dirname) => ${code})(${JSON.stringify(notebookFolder)})`;
    // displayErrors would print a line of generated code above the error.
    return run(withFolder, { ...options, filename, breakOnSigint, displayErrors: false });
  };
}

function describe(error) {
  try {
    // Also of what `console.trace` makes, which is no error.
    return Error.prototype.toString.call(error);
  } catch {
    return "Error";
  }
}

function printFrame(frame) {
  const file = frame.getFileName() ?? "";
  const maps = mapsOfFile.get(file);
  if (maps === undefined) {
    const ofKernel = /^node:|[\\/]node_modules[\\/]tslab[\\/]/.test(file) || file.startsWith(__dirname);
    return ofKernel ? undefined : `    at ${frame.toString()}`;
  }
  const position = positionInSource(maps, frame.getLineNumber(), frame.getColumnNumber());
  const name = frame.getFunctionName();
  if (position === undefined) {
    return undefined;
  }
  const where = `${maps.shown ?? file}:${position.line}:${position.column}`;
  return `    at ${frame.isAsync() ? "async " : ""}${name ? `${name} (${where})` : where}`;
}

function positionInSource(maps, line, column) {
  // findEntry counts from 0, call sites from 1. On the first line tslab's wrapper stands before the code; the columns
  // there are not corrected, because a reader needs the line.
  const inModule = maps.toModule.findEntry(line - 1, column - 1);
  // The last line is tslab's call of its wrapper; the entry found for it is of a line above.
  if (inModule.originalLine === undefined || inModule.generatedLine !== line - 1) {
    return undefined;
  }
  const inSource = maps.toSource.findEntry(inModule.originalLine, inModule.originalColumn);
  if (inSource.originalLine === undefined) {
    return undefined;
  }
  return { line: inSource.originalLine + 1 - maps.linesAbove, column: inSource.originalColumn + 1 };
}

module.exports = { LINES_ABOVE_CELL, install, mapOptions, transpileWithMaps, nameCells };
