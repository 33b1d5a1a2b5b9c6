/**
 * Adds to the TypeScript compiler that tslab 1.0.22 loads what cells need: source maps (cell-positions.js), shorthand
 * properties of earlier names (shorthand.js), `strict`, and `for await` outside functions. Must be installed before tslab is loaded.
 */
"use strict";

const { mapOptions, transpileWithMaps } = require("./cell-positions.js");
const { expandShorthand } = require("./shorthand.js");

function install() {
  const file = require.resolve("@tslab/typescript-for-tslab", { paths: [require.resolve("tslab/package.json")] });
  const typescript = require(file);

  const createProgram = (...program) => {
    const builder = typescript.createEmitAndSemanticDiagnosticsBuilderProgram(...program);
    const { emit } = builder;
    builder.emit = (source, write, cancellation, declarationsOnly, transformers) => {
      const expand = expandShorthand(typescript, builder.getProgram().getTypeChecker());
      const after = [expand, ...(transformers?.after ?? [])];
      return emit(source, write, cancellation, declarationsOnly, { ...transformers, after });
    };
    return builder;
  };

  require.cache[file].exports = {
    ...typescript,
    createWatchCompilerHost: (files, options, system, _createProgram, ...rest) =>
      typescript.createWatchCompilerHost(
        files,
        { ...options, ...mapOptions, strict: true },
        system,
        createProgram,
        ...rest,
      ),
    transpileModule: (source, options) => transpileWithMaps(typescript, source, options),
  };

  allowForAwait(typescript, require("tslab/dist/converter"));
}

/** tslab wraps a cell in an async function when it finds an `await`; it does not look for `for await`. */
function allowForAwait(typescript, converter) {
  const isForAwait = (node) => {
    if (typescript.isFunctionLike(node) || typescript.isClassLike(node)) {
      return undefined;
    }
    return (typescript.isForOfStatement(node) && node.awaitModifier !== undefined) || node.forEachChild(isForAwait);
  };
  const { createConverter } = converter;
  converter.createConverter = (options) => {
    const created = createConverter(options);
    return {
      ...created,
      convert: (earlier, source) => {
        const converted = created.convert(earlier, source);
        const file = typescript.createSourceFile("cell.ts", source, typescript.ScriptTarget.Latest);
        return isForAwait(file) ? { ...converted, hasToplevelAwait: true } : converted;
      },
    };
  };
}

module.exports = { install };
