#!/bin/sh
# Compiles the examples and runs one: moco or own-method.
set -e
node setup/setup.mjs --quiet
node node_modules/typescript/bin/tsc -p examples/tsconfig.json
exec bin/engine-node "build/examples/${1:?say which: moco or own-method}.js"
