#!/bin/sh
# Compiles what measures how well memory is foretold, and runs it.
set -e
node setup/setup.mjs --quiet
node node_modules/typescript/bin/tsc -p test/faults/tsconfig.json
exec node build/faults/test/faults/memory.js
