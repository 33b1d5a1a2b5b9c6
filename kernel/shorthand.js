/**
 * Lets names of earlier cells stand as shorthand properties: `const b = 2` in one cell, `({ a: 1, b })` in the next.
 *
 * tslab keeps what cells declare as properties of an object, `exports`, and rewrites each use of an earlier name, but it
 * passes over shorthand properties (tslab 1.0.22, wrapPrevIdentifier). Here `{ b }` becomes `{ b: exports.b }` first.
 */
"use strict";

const EARLIER_CELLS = /(^|\/)__prev__\.d\.ts$/;

/** The transformer for `emit`, to run before tslab's own. */
function expandShorthand(typescript, checker) {
  const { factory } = typescript;

  const isOfEarlierCell = (property) =>
    checker
      .getShorthandAssignmentValueSymbol(property)
      ?.declarations?.some((declaration) => EARLIER_CELLS.test(declaration.getSourceFile().fileName)) === true;

  return (context) => {
    const visit = (node) => {
      const visited = typescript.visitEachChild(node, visit, context);
      if (!typescript.isShorthandPropertyAssignment(node) || !isOfEarlierCell(node)) {
        return visited;
      }
      const value = factory.createPropertyAccessExpression(
        factory.createIdentifier("exports"),
        factory.createIdentifier(node.name.text),
      );
      // In an assignment, `({ b = 1 } = object)`, the property has a default.
      const fallback = visited.objectAssignmentInitializer;
      return factory.createPropertyAssignment(
        node.name,
        fallback === undefined ? value : factory.createAssignment(value, fallback),
      );
    };
    return (file) => typescript.visitNode(file, visit);
  };
}

module.exports = { expandShorthand };
