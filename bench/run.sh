#!/bin/sh
# Compiles the measurements beside the sources they measure, and runs one: step, detector, augment, data, large-folder, coco-metric or large-batch.
set -e
node setup/setup.mjs --quiet
node node_modules/typescript/bin/tsc -p bench/tsconfig.json
name=${1:?say which: step, detector, augment, data, large-folder, coco-metric or large-batch}
shift
exec bin/engine-node "build/bench/bench/$name.js" "$@"
