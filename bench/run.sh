#!/bin/sh
# Compiles the measurements beside the sources they measure, and runs one: step, detector, augment, coco-metric or large-batch.
set -e
node setup/setup.mjs --quiet
node node_modules/typescript/bin/tsc -p bench/tsconfig.json
exec bin/engine-node "build/bench/bench/${1:?say which: step, detector, augment, coco-metric or large-batch}.js"
