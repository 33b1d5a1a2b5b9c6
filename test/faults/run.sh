#!/bin/sh
# Compiles what tries the faults of docs/reliability.md, and runs it.
set -e
node setup/setup.mjs --quiet
node node_modules/typescript/bin/tsc -p test/faults/tsconfig.json
exec node build/faults/test/faults/main.js "$@"
