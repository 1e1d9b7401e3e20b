#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# npm test: runs every stage of test/stages in the order of its number, those with the same number at once. A stage is an
# executable that writes what it likes, ends its output with `N passed, N failed` (`, N skipped`) and exits non-zero on
# failure; what it wrote is in build/logs. To add tests of another kind, add a file there. `npm test -- mocha` runs only
# stages whose name has it.
set -u
cd "$(dirname "$0")/.."
mkdir -p build/logs
passed=0 failed=0 skipped=0 broken=0
begin=$SECONDS

start() {
  local log=build/logs/$2.log since=$SECONDS code=0
  bash "$1" >"$log" 2>&1 || code=$?
  echo "$code $((SECONDS - since))" >"build/logs/$2.ended"
}

# Adds up what a stage that has ended said of itself; returns its exit code.
report() {
  local name=$1 log=build/logs/$1.log code took counts p f s about
  read -r code took <"build/logs/$name.ended"
  rm -f "build/logs/$name.ended"
  counts=$(grep -Eo '[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?' "$log" | tail -1)
  [ -z "$counts" ] && counts='0 passed, 0 failed'
  read -r p f s <<<"$(sed -E 's/[^0-9]+/ /g' <<<"$counts")"
  if [ "$code" -ne 0 ] && [ "$f" -eq 0 ]; then
    broken=$((broken + 1))
    counts="did not finish (exit $code)"
  fi
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + ${s:-0}))
  about=$(sed -n 's/^stage: //p' "$log" | tail -1)
  echo "${about:-$name}: $counts ($took s)"
  if [ "$code" -ne 0 ]; then
    echo "--- the end of $log ---"
    tail -60 "$log"
    echo '---'
  fi
  return "$code"
}

built=yes
for number in $(for stage in test/stages/*.sh; do basename "$stage"; done | sed 's/-.*//' | sort -un); do
  names=()
  for stage in "test/stages/$number"-*.sh; do
    name=$(basename "$stage" .sh)
    name=${name#*-}
    if [ $# -gt 0 ] && [[ "$name" != *"$1"* && "$name" != build ]]; then continue; fi
    start "$stage" "$name" &
    names+=("$name")
  done
  wait
  for name in ${names[@]+"${names[@]}"}; do report "$name" || [ "$name" != build ] || built=no; done
  [ "$built" = yes ] || break
done

failed=$((failed + broken))
echo "all stages: $((SECONDS - begin)) s"
total="$passed passed, $failed failed"
[ "$skipped" -gt 0 ] && total="$total, $skipped skipped"
echo "$total"
[ "$failed" -eq 0 ]
