/** Which of the compiler's findings in a cell, and in the own files that it imports, are told. */
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { withShortModules } = require("./module-names.js");

/** tslab takes an `await` outside functions for no error. */
const AWAIT_OUTSIDE = 1308;
/** A name that is nowhere declared, without and with one that is much like it. */
const UNKNOWN_NAME = [2304, 2552];
/** An argument has the wrong type, for a function's one signature or for all. */
const ARGUMENT_TYPE = [2345, 2769];

/**
 * Takes the place of TypeScript's `getPreEmitDiagnosticsOfFiles`. As `tsc` does, it tells of types only where the syntax is
 * right, and of what later cells cannot be told only where the types are right: the rest would follow from the first.
 */
function diagnosticsOfFiles(typescript) {
  return (program, files) => {
    const syntax = files.flatMap((file) => program.getSyntacticDiagnostics(file));
    if (syntax.length > 0) {
      return syntax;
    }
    const types = files
      .flatMap((file) => program.getSemanticDiagnostics(file))
      .map((found) => withAllowedTexts(typescript, program.getTypeChecker(), found))
      .map((found) => withImport(typescript, found));
    const told = types.some(({ code }) => code !== AWAIT_OUTSIDE)
      ? types
      : [...types, ...files.flatMap((file) => program.getDeclarationDiagnostics(file))];
    return told.flatMap(inLines);
  };
}

/** One for each line of its explanation: of those after the first, tslab forgets the file. */
function inLines(found) {
  const linesOf = ({ messageText, next = [] }) => [messageText, ...next.flatMap(linesOf)];
  const lines = typeof found.messageText === "string" ? [found.messageText] : linesOf(found.messageText);
  return lines.map((line) => ({ ...found, messageText: withShortModules(line, process.cwd()) }));
}

/** A text that a function does not take: the compiler gives the name of its parameter's type alone, `'DataName'`. */
function withAllowedTexts(typescript, checker, found) {
  const argument = ARGUMENT_TYPE.includes(found.code) && typescript.getTokenAtPosition(found.file, found.start);
  const type = argument && typescript.isStringLiteral(argument) && checker.getContextualType(argument);
  if (!type || !type.isUnion() || !type.types.some((one) => one.isStringLiteral())) {
    return found;
  }
  const allowed = type.types.map((one) => checker.typeToString(one)).join(", ");
  return { ...found, messageText: `Cannot take ${argument.getText()} here: it must be one of ${allowed}` };
}

/** A name that is not imported yet, where the kit has it: says how. */
function withImport(typescript, found) {
  const name = UNKNOWN_NAME.includes(found.code) && typescript.getTokenAtPosition(found.file, found.start).getText();
  return name && kitExports(typescript).has(name)
    ? { ...found, messageText: `Cannot find name '${name}': write import { ${name} } from "moco-kit" before it` }
    : found;
}

let known;

/** The names that the kit exports; none before it is built. */
function kitExports(typescript) {
  const index = path.join(__dirname, "..", "dist", "index.d.ts");
  if (known === undefined && fs.existsSync(index)) {
    const { statements } = typescript.createSourceFile(
      index,
      fs.readFileSync(index, "utf8"),
      typescript.ScriptTarget.Latest,
    );
    known = new Set(
      statements.flatMap(({ exportClause }) => (exportClause?.elements ?? []).map(({ name }) => name.text)),
    );
  }
  return known ?? new Set();
}

module.exports = { diagnosticsOfFiles };
