#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Usage: mocha-on.sh NODE - runs all mocha tests on that Node and counts them.
set -u
node=$1
echo "stage: mocha on Node $("$node" -p process.version)"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
PATH="$(dirname "$node"):$PATH" "$node" node_modules/mocha/bin/mocha.js --no-color | tee "$log"
code=${PIPESTATUS[0]}
count() { grep -Eo "^  [0-9]+ $1" "$log" | tail -1 | grep -Eo '[0-9]+' || echo 0; }
echo "$(count passing) passed, $(count failing) failed, $(count pending) skipped"
exit "$code"
