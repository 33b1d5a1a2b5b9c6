/**
 * Lets functions see a variable that a later cell sets: `let v = 1; const read = () => v` in one cell, `v = 2` in the next.
 *
 * tslab ends a cell with `export { v, read }`, which gives later cells a copy of `v`. TypeScript makes every use of a
 * variable that is declared by `export let v` one of `exports.v`, which is what later cells set. So variables that a
 * function uses are declared like that. Others are not, because local variables are faster.
 */
"use strict";

/** @param source - a cell as an ES module, the first step of tslab's compilation; lines stay where they are */
function exportLiveVariables(typescript, source) {
  const file = typescript.createSourceFile("cell.js", source, typescript.ScriptTarget.Latest);
  const exported = new Set();
  const exportSpecifiers = [];
  const inFunctions = new Set();

  const visit = (node, inFunction) => {
    if (typescript.isExportSpecifier(node)) {
      exported.add(node.name.text);
      exportSpecifiers.push(node);
    } else if (inFunction && typescript.isIdentifier(node)) {
      inFunctions.add(node.text);
    }
    // The fields of a class are set when it is constructed.
    const runsLater = inFunction || typescript.isFunctionLike(node) || typescript.isClassLike(node);
    node.forEachChild((child) => visit(child, runsLater));
  };
  visit(file, false);

  const live = new Set();
  const edits = [];
  for (const statement of file.statements) {
    if (!isVariable(typescript, statement)) {
      continue;
    }
    const names = statement.declarationList.declarations.flatMap(({ name }) => namesIn(typescript, name));
    if (names.some((name) => inFunctions.has(name)) && names.every((name) => exported.has(name))) {
      names.forEach((name) => live.add(name));
      edits.push({ start: statement.getStart(file), end: statement.getStart(file), text: "export " });
    }
  }
  for (const specifier of exportSpecifiers) {
    if (live.has(specifier.name.text)) {
      const after = source[specifier.end] === "," ? 1 : 0;
      edits.push({ start: specifier.getStart(file), end: specifier.end + after, text: "" });
    }
  }
  return edits
    .sort((a, b) => b.start - a.start)
    .reduce((text, { start, end, text: inserted }) => text.slice(0, start) + inserted + text.slice(end), source);
}

function isVariable(typescript, statement) {
  return (
    typescript.isVariableStatement(statement) &&
    (statement.declarationList.flags & typescript.NodeFlags.Const) === 0 &&
    !statement.modifiers?.some(({ kind }) => kind === typescript.SyntaxKind.ExportKeyword)
  );
}

function namesIn(typescript, name) {
  return typescript.isIdentifier(name)
    ? [name.text]
    : name.elements.flatMap((element) =>
        typescript.isOmittedExpression(element) ? [] : namesIn(typescript, element.name),
      );
}

module.exports = { exportLiveVariables };
