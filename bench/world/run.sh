#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Echoes, RPCs and packets that the simulation does in a second of wall time. Builds first. Usage: run.sh [ROUNDS]
set -eu
cd "$(dirname "$0")/../.."
npm run --silent build
npx --no-install tsc -p test/tsconfig.json
exec node build/bench/world/speed.js "$@"
