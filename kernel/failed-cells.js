/**
 * Keeps what a failed or interrupted cell declared before it ended: its imports, and the names that got a value.
 *
 * tslab forgets all of it, although the values are there.
 */
"use strict";

/** CommonJS of a cell begins so: it takes the names that the cell declares the values of earlier cells. */
const FIRST_LINES = /^Object\.defineProperty\(exports, "__esModule", .*\n((?:exports\..* = void 0;\n)*)/;

/**
 * The converter with `keep`, to be called after each cell. It remembers the declarations of cells in place of tslab's executor.
 *
 * @param locals - gives the values that cells declared, by name
 */
function keepingDeclarations(typescript, converter, locals) {
  let known = "";
  let latest;
  let valuesBefore;
  /** Own files that changed while a cell ran which then failed: tslab gives them once, and the next cell needs them. */
  let changedFiles = [];

  const keepOfFailed = ({ declOutput, output = "" }) => {
    const declared = [...(FIRST_LINES.exec(output)?.[1] ?? "").matchAll(/exports\.(\S+) =/g)].map(([, name]) => name);
    const missing = new Set(declared.filter((name) => locals()[name] === undefined));
    const {
      declOutput: kept,
      diagnostics,
      sideOutputs = [],
    } = converter.convertDeclarations(known, without(typescript, declOutput, missing));
    if (diagnostics.length === 0) {
      known = kept;
      changedFiles = sideOutputs;
    }
    for (const name of missing) {
      locals()[name] = valuesBefore[name];
    }
  };

  return {
    ...converter,
    convert: (_earlier, source) => {
      valuesBefore = { ...locals() };
      latest = converter.convert(known, source);
      const sideOutputs = [...changedFiles, ...(latest.sideOutputs ?? [])];
      changedFiles = [];
      return { ...latest, sideOutputs };
    },
    inspect: (_earlier, ...place) => converter.inspect(known, ...place),
    complete: (_earlier, ...place) => converter.complete(known, ...place),
    keep: (failed) => {
      if (latest?.diagnostics.length === 0) {
        if (failed) {
          keepOfFailed(latest);
        } else {
          known = latest.declOutput;
        }
      }
      latest = undefined;
    },
  };
}

/** Declarations, as in a `.d.ts`, without these names. */
function without(typescript, declarations, names) {
  const { factory } = typescript;
  const file = typescript.createSourceFile("cell.d.ts", declarations, typescript.ScriptTarget.Latest);
  const statements = file.statements.flatMap((statement) => {
    if (typescript.isVariableStatement(statement)) {
      const kept = statement.declarationList.declarations.filter(({ name }) => !names.has(name.text));
      const list = factory.updateVariableDeclarationList(statement.declarationList, kept);
      return kept.length > 0 ? [factory.updateVariableStatement(statement, statement.modifiers, list)] : [];
    }
    const declared = typescript.isImportDeclaration(statement) ? importedNames(statement) : [statement.name?.text];
    return declared.some((name) => names.has(name)) ? [] : [statement];
  });
  return typescript.createPrinter().printFile(factory.updateSourceFile(file, statements));
}

function importedNames({ importClause: clause }) {
  const bindings = clause?.namedBindings;
  return [clause, ...(bindings?.elements ?? [bindings])].flatMap((named) => named?.name?.text ?? []);
}

module.exports = { keepingDeclarations };
