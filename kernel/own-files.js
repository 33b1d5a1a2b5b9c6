/**
 * Lets a cell import files beside its notebook: `import { f } from "./own"`.
 *
 * tslab runs at the project's root and takes relative paths from there. So a path in a cell is written anew, from the root.
 */
"use strict";

const path = require("node:path");

function ownFiles(typescript, root, notebookFolder) {
  /** Cells that begin with `@module name` stand at the root. */
  const modules = new Set();
  const folder = path.relative(root, notebookFolder).split(path.sep).join("/");
  const outside = folder.startsWith("..") || path.isAbsolute(folder);

  const fromRoot = (specifier) => {
    const file = path.posix.join(folder, specifier);
    return file.startsWith(".") ? file : `./${file}`;
  };

  return {
    addModule: (name) => modules.add(`./${name}`),
    /**
     * The cell with paths from the root; a diagnostic, as tslab has them, for each that cannot be found there; and `asWritten`, which
     * gives a diagnostic the paths and the place of the cell again.
     */
    resolve: (source) => {
      const imports = typescript
        .preProcessFile(source, true, true)
        .importedFiles.filter(({ fileName }) => /^\.\.?\//.test(fileName) && !modules.has(fileName));
      if (outside) {
        const diagnostics = imports.map((found) => refuse(typescript, source, found, notebookFolder));
        return { code: source, diagnostics, asWritten: (diagnostic) => diagnostic };
      }
      let code = source;
      // From the last to the first, so that places stay true. `pos` is the place of the quotation mark.
      imports.sort((a, b) => b.pos - a.pos);
      for (const { fileName, pos } of imports) {
        code = code.slice(0, pos + 1) + fromRoot(fileName) + code.slice(pos + 1 + fileName.length);
      }
      const file = typescript.createSourceFile("cell.ts", source, typescript.ScriptTarget.Latest);
      const placeAsWritten = (start) => {
        if (start.offset > code.length) {
          return start;
        }
        let { offset } = start;
        for (const { fileName, pos } of imports.toReversed()) {
          if (offset > pos) {
            offset = Math.max(pos, offset - (fromRoot(fileName).length - fileName.length));
          }
        }
        return { offset, ...typescript.getLineAndCharacterOfPosition(file, offset) };
      };
      const asWritten = (diagnostic) => {
        const start = diagnostic.fileName === undefined ? placeAsWritten(diagnostic.start) : diagnostic.start;
        let { messageText } = diagnostic;
        for (const { fileName } of imports) {
          for (const quote of ["'", '"']) {
            messageText = messageText.replaceAll(quote + fromRoot(fileName) + quote, quote + fileName + quote);
          }
        }
        return { ...diagnostic, start, messageText };
      };
      return { code, diagnostics: [], asWritten };
    },
  };
}

function refuse(typescript, source, { fileName, pos }, notebookFolder) {
  const file = typescript.createSourceFile("cell.ts", source, typescript.ScriptTarget.Latest);
  const start = { offset: pos, ...typescript.getLineAndCharacterOfPosition(file, pos) };
  return {
    start,
    messageText: `Cannot import ${fileName}: files beside a notebook are found when it lies in the project's folder, current value is ${notebookFolder}`,
  };
}

module.exports = { ownFiles };
