#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The driver, the C programs and the commands around them in a Linux guest. Skipped, and counted so, only when Debian's
# packages for the guest cannot be fetched.
set -u
echo 'stage: driver and programs in a Linux guest'
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! node build/test/integration/vm/packages-or-skip.js; then
  files=$(find build/test/integration/vm -name '*.test.js' | wc -l)
  echo "0 passed, 0 failed, $files skipped"
  exit 0
fi
timeout 600 node node_modules/mocha/bin/mocha.js --no-color --no-config --forbid-only --exit --timeout 120000 \
  'build/test/integration/vm/**/*.test.js' | tee "$log"
code=${PIPESTATUS[0]}
count() { grep -Eo "^  [0-9]+ $1" "$log" | tail -1 | grep -Eo '[0-9]+' || echo 0; }
echo "$(count passing) passed, $(count failing) failed, $(count pending) skipped"
exit "$code"
