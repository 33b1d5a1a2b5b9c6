#!/bin/sh
# Compiles the soak, and runs it for so many hours: sh test/faults/soak.sh 6
set -e
node setup/setup.mjs --quiet
node node_modules/typescript/bin/tsc -p test/faults/tsconfig.json
exec bin/engine-node build/faults/test/faults/soak.js "$@"
