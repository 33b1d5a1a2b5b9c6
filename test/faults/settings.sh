#!/bin/sh
# Compiles what measures the settings that change bits, and runs it.
set -e
node setup/setup.mjs --quiet
node node_modules/typescript/bin/tsc -p test/faults/tsconfig.json
exec node build/faults/test/faults/settings.js
