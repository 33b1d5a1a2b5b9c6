/**
 * Adds to the TypeScript compiler that tslab 1.0.22 loads what cells need: source maps (cell-positions.js) and shorthand
 * properties of earlier names (shorthand.js). Must be installed before tslab is loaded.
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
      typescript.createWatchCompilerHost(files, { ...options, ...mapOptions }, system, createProgram, ...rest),
    transpileModule: (source, options) => transpileWithMaps(typescript, source, options),
  };
}

module.exports = { install };
