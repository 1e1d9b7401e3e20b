#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# npm test: runs every stage of test/stages in the order of its number. A stage is an executable that writes what it
# likes, ends its output with `N passed, N failed` (`, N skipped`) and exits non-zero on failure; what it wrote is in
# build/logs. To add tests of another kind, add a file there. `npm test -- mocha` runs only stages whose name has it.
set -u
cd "$(dirname "$0")/.."
mkdir -p build/logs
passed=0 failed=0 skipped=0 broken=0
begin=$SECONDS

for stage in test/stages/*.sh; do
  name=$(basename "$stage" .sh)
  name=${name#*-}
  if [ $# -gt 0 ] && [[ "$name" != *"$1"* && "$name" != build ]]; then continue; fi
  log=build/logs/$name.log
  since=$SECONDS
  code=0
  bash "$stage" >"$log" 2>&1 || code=$?
  counts=$(grep -Eo '[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?' "$log" | tail -1)
  [ -z "$counts" ] && counts='0 passed, 0 failed'
  read -r p f s <<<"$(sed -E 's/[^0-9]+/ /g' <<<"$counts")"
  if [ "$code" -ne 0 ] && [ "$f" -eq 0 ]; then
    broken=$((broken + 1))
    counts="did not finish (exit $code)"
  fi
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + ${s:-0}))
  about=$(sed -n 's/^stage: //p' "$log" | tail -1)
  echo "${about:-$name}: $counts ($((SECONDS - since)) s)"
  if [ "$code" -ne 0 ]; then
    echo "--- the end of $log ---"
    tail -60 "$log"
    echo '---'
    [ "$name" = build ] && break
  fi
done

failed=$((failed + broken))
echo "all stages: $((SECONDS - begin)) s"
total="$passed passed, $failed failed"
[ "$skipped" -gt 0 ] && total="$total, $skipped skipped"
echo "$total"
[ "$failed" -eq 0 ]
