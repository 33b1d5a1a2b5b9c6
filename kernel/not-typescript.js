/** Tells who writes a command of other notebooks what to write in its place. */
"use strict";

const MAGIC = /^\s*(%+\w+)/;
/** `!ls`, `!ls -l`, `!pip install x`; not `!ready` before an operator. */
const SHELL = /^\s*!([a-z][\w-]*)(?: +[\w./~-][^(=&|]*)?$/;

/**
 * @param diagnostics - the compiler's, of a cell, as tslab has them
 * @returns one in their place where the first is about such a command, else the same
 */
function explainCommands(source, diagnostics) {
  const [first] = diagnostics;
  if (first === undefined || first.fileName !== undefined) {
    return diagnostics;
  }
  const line = source.split("\n")[first.start.line];
  const magic = MAGIC.exec(line);
  const shell = SHELL.exec(line);
  if (magic === null && shell === null) {
    return diagnostics;
  }
  const messageText =
    magic === null
      ? `Cannot run !${shell[1]}: cells are TypeScript; call execSync of "node:child_process" for a command of the shell`
      : `Cannot run ${magic[1]}: cells are TypeScript and have no magics; performance.now() measures time`;
  return [{ ...first, messageText }];
}

module.exports = { explainCommands };
