#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what `npm test` needs and Debian 12 does not have by itself. Does nothing when all is there; may be run again.
set -eu
cd "$(dirname "$0")"

# package | a file or a command that proves it is there | why
needs=$(sed 's/ *| */|/g' <<'END'
g++         | g++       | compiles the host-interface check and the C programs
make        | make      | builds the driver, the library and the C programs
sparse      | sparse    | checks the driver
linux-headers-amd64 | /usr/share/doc/linux-headers-amd64 | the driver is built against this kernel too, not only the guest's
kmod        | depmod    | make install of the driver
python3     | python3   | the line-by-line parser that bench/ compares with
verilator   | verilator | elaborates the assertions of the generated SystemVerilog package
git         | git       | writes the commit into results
END
)

missing=()
while IFS='|' read -r package proof why; do
  [ -z "$package" ] && continue
  if [ "${proof#/}" != "$proof" ]; then [ -e "$proof" ] && continue; else command -v "$proof" >/dev/null && continue; fi
  echo "setup: $package is missing ($why)"
  missing+=("$package")
done <<<"$needs"

if [ ${#missing[@]} -gt 0 ]; then
  as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "setup: install these as root: apt-get install ${missing[*]}" >&2; exit 1; }
    as_root=(sudo)
  fi
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi

node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
  { echo "setup: Node 20.19 or newer is needed, this is $(node -v)" >&2; exit 1; }
[ -d node_modules ] || npm ci
echo 'setup: all there'
