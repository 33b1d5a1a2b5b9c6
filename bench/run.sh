#!/bin/sh
# Compiles the measurements beside the sources they measure, and runs one: step or augment.
set -e
node setup/setup.mjs --quiet
node node_modules/typescript/bin/tsc -p bench/tsconfig.json
exec bin/engine-node "build/bench/bench/${1:?say which: step or augment}.js"
