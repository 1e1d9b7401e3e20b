#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs every bench in turn: bench/*/run.mjs, run.py or run.sh. `npm run bench -- parse` runs only those whose folder has that word.
set -u
cd "$(dirname "$0")/.."
code=0
for bench in bench/*/run.mjs bench/*/run.py bench/*/run.sh; do
  [ -f "$bench" ] || continue
  folder=$(basename "$(dirname "$bench")")
  if [ $# -gt 0 ] && [[ "$folder" != *"$1"* ]]; then continue; fi
  echo "== $folder"
  case "$bench" in
    *.py) python3 "$bench" || code=1 ;;
    *.mjs) node "$bench" || code=1 ;;
    *) bash "$bench" || code=1 ;;
  esac
done
exit $code
