#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Packs the tarball, installs it into an empty folder, makes that folder read-only, and does the main job from it in
# another folder, as a user who cannot write there. Then the installed files must be what they were.
set -eu
root=$(pwd)
work=$(mktemp -d)
cleanup() {
  chmod -R u+w "$work" 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT
mkdir "$work/installed" "$work/cwd" "$work/home"

npm pack --silent --pack-destination "$work" >/dev/null
(cd "$work/installed" && npm init -y >/dev/null && npm install --silent --omit=dev "$work"/homa-nic-*.tgz)
[ -f "$work/installed/node_modules/homa-nic/oclif.manifest.json" ] || { echo 'the tarball has no oclif.manifest.json'; exit 1; }
[ ! -f "$root/oclif.manifest.json" ] || { echo 'oclif.manifest.json was left in the tree'; exit 1; }

sums() { (cd "$work/installed" && find . -type f -print0 | sort -z | xargs -0 sha256sum; find . -printf '%p %y %m\n' | sort); }
chmod -R a-w "$work/installed"
sums >"$work/before"
chmod 755 "$work"
chmod 777 "$work/cwd" "$work/home"

as_other=()
if [ "$(id -u)" -eq 0 ]; then as_other=(setpriv --reuid=nobody --regid=nogroup --clear-groups); fi
run() {
  (cd "$work/cwd" && "${as_other[@]}" env HOME="$work/home" XDG_CACHE_HOME="$work/home/cache" \
    "$(command -v node)" "$work/installed/node_modules/.bin/homa-nic" "$@")
}
run --version
run config --json
run perf --parse
run perf --test echo --count 200 --parse --plot echo.svg --json >"$work/result.json"
node -e 'const e = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8")); if (e.status !== "ok") throw e' "$work/result.json"
[ -s "$work/cwd/echo.svg" ]
ls "$work/cwd/homa-nic-results"

sums >"$work/after"
diff "$work/before" "$work/after" || { echo 'the installed package changed itself'; exit 1; }
echo 'installed package unchanged'
