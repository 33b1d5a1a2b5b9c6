/**
 * tslab's compiler of cells, with what cells need besides: `strict`, the packages' own types, source maps
 * (cell-positions.js), shorthand properties of earlier names (shorthand.js), `for await` and `await (…)` outside functions, interrupts
 * (interrupts.js) and files beside the notebook (own-files.js).
 *
 * Reaches into tslab 1.0.22: the module of its compiler, and what its converter takes and returns.
 */
"use strict";

const path = require("node:path");
const { LINES_ABOVE_CELL, mapOptions, transpileWithMaps } = require("./cell-positions.js");
const { diagnosticsOfFiles } = require("./diagnostics.js");
const { askAtAwaits } = require("./interrupts.js");
const { explainCommands } = require("./not-typescript.js");
const { ownFiles } = require("./own-files.js");
const { expandShorthand } = require("./shorthand.js");

/** Must run before tslab is loaded. Returns the TypeScript compiler. */
function install() {
  const file = require.resolve("@tslab/typescript-for-tslab", { paths: [require.resolve("tslab/package.json")] });
  const typescript = require(file);

  const createProgram = (files, options, host, ...rest) => {
    const builder = typescript.createEmitAndSemanticDiagnosticsBuilderProgram(
      files,
      options,
      ofOnePiece(host),
      ...rest,
    );
    const { emit } = builder;
    builder.emit = (source, write, cancellation, declarationsOnly, transformers) => {
      const expand = expandShorthand(typescript, builder.getProgram().getTypeChecker());
      const after = [expand, askAtAwaits(typescript, LINES_ABOVE_CELL), ...(transformers?.after ?? [])];
      return emit(source, write, cancellation, declarationsOnly, { ...transformers, after });
    };
    return builder;
  };

  require.cache[file].exports = {
    ...typescript,
    createWatchCompilerHost: (files, options, system, _createProgram, ...rest) =>
      withTimerForMissingFiles(
        typescript.createWatchCompilerHost(
          files,
          { ...options, ...mapOptions, ...cellOptions(typescript, options) },
          system,
          createProgram,
          ...rest,
        ),
      ),
    transpileModule: (source, options) => transpileWithMaps(typescript, source, options),
    getPreEmitDiagnosticsOfFiles: diagnosticsOfFiles(typescript),
  };
  return typescript;
}

/**
 * A cell with `await (…)` is parsed twice, and what comes out points to the first parse as its original, which has no path: types
 * that need an import in the cell's declarations then end in a failed assertion (TypeScript 5.0, reparseTopLevelAwait).
 */
function ofOnePiece(host) {
  const forget =
    (read) =>
    (...request) => {
      const file = read.apply(host, request);
      if (file?.original !== undefined) file.original = undefined;
      return file;
    };
  return Object.assign(Object.create(host), {
    getSourceFile: forget(host.getSourceFile),
    ...(host.getSourceFileByPath && { getSourceFileByPath: forget(host.getSourceFileByPath) }),
  });
}

/**
 * TypeScript has two timers: one before it compiles anew, and one before it looks again for files that were missing, which starts
 * when files appear (a build, `npm install`). tslab has a place for one, keeps it until the next cell, and throws where it is
 * taken, then and in every later cell. So the second gets a timer of its own, known by the function's name.
 */
function withTimerForMissingFiles(host) {
  const timers = new Set();
  return {
    ...host,
    setTimeout: (callback, ...rest) => {
      if (callback.name !== "invalidateResolutionsOfFailedLookup") return host.setTimeout(callback, ...rest);
      const timer = setTimeout(
        () => {
          timers.delete(timer);
          callback();
        },
        ...rest,
      );
      timers.add(timer);
      return timer.unref();
    },
    clearTimeout: (timer) => {
      if (timers.delete(timer)) clearTimeout(timer);
      else host.clearTimeout(timer);
    },
  };
}

function cellOptions(typescript, { typeRoots }) {
  return {
    strict: true,
    target: typescript.ScriptTarget.ES2022,
    lib: ["lib.es2023.d.ts"],
    typeRoots: [...typeRoots, path.join(__dirname, "types")],
    // Finds the types of packages that are ES modules only, through their "exports".
    moduleResolution: typescript.ModuleResolutionKind.Bundler,
  };
}

/** tslab's converter from cells to JavaScript. Must run after `install`. */
function createCellConverter(typescript, notebookFolder) {
  const converter = require("tslab/dist/converter").createConverter({ isJS: false, isBrowser: false });
  const own = ownFiles(typescript, process.cwd(), notebookFolder);
  return {
    ...converter,
    addModule: (name, source, meta) => {
      own.addModule(name);
      return converter.addModule(name, source, meta);
    },
    /** Of declarations that came out of a cell: their paths are from the root already. */
    convertDeclarations: (earlier, declarations) => converter.convert(earlier, withoutExport(typescript, declarations)),
    convert: (earlier, source) => {
      const { code, diagnostics, asWritten } = own.resolve(withoutExport(typescript, source));
      if (diagnostics.length > 0) {
        return { diagnostics };
      }
      const converted = converter.convert(earlier, code);
      return {
        ...converted,
        diagnostics: explainCommands(source, withinCell(typescript, source, converted.diagnostics.map(asWritten))),
        hasToplevelAwait: converted.hasToplevelAwait || awaitsAtTop(typescript, code),
      };
    },
  };
}

/** tslab adds a line to a cell. Where the cell has no end, the compiler complains of that line: here of the cell alone. */
function withinCell(typescript, source, diagnostics) {
  if (!diagnostics.some(({ fileName, start }) => fileName === undefined && start.offset > source.length)) {
    return diagnostics;
  }
  const file = typescript.createSourceFile("cell.ts", source.trimEnd(), typescript.ScriptTarget.Latest);
  return file.parseDiagnostics.map(({ start: offset, messageText }) => ({
    start: { offset, ...typescript.getLineAndCharacterOfPosition(file, offset) },
    messageText: typescript.flattenDiagnosticMessageText(messageText, " "),
  }));
}

/** tslab exports whatever a cell declares, and does not take `export const a`. Spaces keep all places. */
function withoutExport(typescript, source) {
  const file = typescript.createSourceFile("cell.ts", source, typescript.ScriptTarget.Latest);
  const exports = file.statements
    .map(({ modifiers }) => modifiers ?? [])
    .filter((modifiers) => !modifiers.some(({ kind }) => kind === typescript.SyntaxKind.DefaultKeyword))
    .flatMap((modifiers) => modifiers.filter(({ kind }) => kind === typescript.SyntaxKind.ExportKeyword));
  return exports.reduce((code, { end }) => `${code.slice(0, end - 6)}      ${code.slice(end)}`, source);
}

/** tslab wraps a cell in an async function when it finds an `await`; it overlooks `for await`, and `await (…)`. */
function awaitsAtTop(typescript, source) {
  const find = (node) => {
    if (typescript.isFunctionLike(node) || typescript.isClassLike(node)) {
      return undefined;
    }
    const awaits =
      typescript.isAwaitExpression(node) || (typescript.isForOfStatement(node) && node.awaitModifier !== undefined);
    return awaits || node.forEachChild(find);
  };
  // In a module, `await (x)` is no call of a function named await.
  const module = `${source}\nexport {};`;
  return find(typescript.createSourceFile("cell.ts", module, typescript.ScriptTarget.Latest)) === true;
}

module.exports = { install, createCellConverter };
