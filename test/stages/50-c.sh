#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The kernel module against every kernel's headers that are here (W=1, sparse, warnings are errors), the C library and
# programs, and the library's unit tests with AddressSanitizer and UBSan.
set -u
passed=0 failed=0 skipped=0
build=$PWD/build/c
mkdir -p "$build"
check() {
  local what=$1
  shift
  if "$@"; then passed=$((passed + 1)); echo "ok $what"; else failed=$((failed + 1)); echo "FAILED: $what"; fi
}
skip() { skipped=$((skipped + 1)); echo "skipped: $1"; }

# In a copy, so that two builds do not meet in one folder.
module() {
  local what=$1 log code=0
  shift
  rm -rf "$build/module" && mkdir -p "$build/module" && cp -r driver/. "$build/module/"
  log=$build/module.log
  "$@" W=1 C="$sparse" KCFLAGS=-Werror >"$log" 2>&1 || code=$?
  if [ "$code" -ne 0 ] || grep -Eq 'warning:|error:' "$log" || [ ! -f "$build/module/homanic.ko" ]; then
    cat "$log"
    return 1
  fi
}
sparse=0
if command -v sparse >/dev/null; then sparse=2; else skip 'sparse (apt install sparse)'; fi
found=0
for kdir in /lib/modules/*/build; do
  [ -e "$kdir/Makefile" ] || continue
  found=1
  check "module against $(basename "$(dirname "$kdir")")" module kernel make -C "$kdir" M="$build/module" modules
done
[ "$found" = 1 ] || skip 'module against this machine'"'"'s kernels (apt install linux-headers-amd64)'
kmake=${XDG_CACHE_HOME:-$HOME/.cache}/homa-nic/vm/kmake
if [ -x "$kmake" ]; then
  check 'module against the guest'"'"'s kernel' module guest "$kmake" "$build/module" modules
else
  skip 'module against the guest'"'"'s kernel (homa-nic vm start fetches its headers)'
fi

# What the last build says about itself, against the manual; and where `make install` puts things.
parameters() {
  local name missing=0
  for name in $(grep -ao 'parm=[a-z0-9_]*:' "$build/module/homanic.ko" | sed 's/parm=//; s/://' | sort -u); do
    case $name in cutoff_[1-6]) continue ;; esac # "cutoff_0 ... cutoff_7"
    grep -q "\`$name\`" docs/driver.md || { echo "docs/driver.md does not name parameter $name"; missing=1; }
  done
  return "$missing"
}
if [ -f "$build/module/homanic.ko" ]; then check 'docs/driver.md names every module parameter' parameters; fi
installed() {
  rm -rf "$build/module" "$build/root" && cp -r driver "$build/module"
  make -s -C "$build/module" KDIR="$1" DESTDIR="$build/root" install >"$build/install.log" 2>&1 || { cat "$build/install.log"; return 1; }
  [ -n "$(find "$build/root/lib/modules" -name 'homanic.ko*')" ] && [ -f "$build/root/etc/udev/rules.d/60-homa-nic.rules" ]
}
kdir=$(ls -d /lib/modules/*/build 2>/dev/null | head -1)
if [ -n "$kdir" ]; then check 'make install: module and udev rule in their places' installed "$kdir"; fi

header() { gcc "$@" -std=gnu11 -Wall -Wextra -Wpadded -Werror -fsyntax-only -x c driver/uapi/homa_nic.h; }
check 'uapi header, 64 bits, no hidden padding' header -m64
mkdir -p "$build/include32/gnu" && : >"$build/include32/gnu/stubs-32.h" # what gcc-multilib would bring; only types are needed
bits32=(-m32 -isystem "$build/include32" -isystem /usr/include/x86_64-linux-gnu)
if gcc "${bits32[@]}" -std=gnu11 -fsyntax-only -x c - <<<'#include <linux/types.h>' 2>/dev/null; then
  check 'uapi header, 32 bits: the same offsets' header "${bits32[@]}"
else
  skip 'uapi header, 32 bits (this gcc cannot)'
fi
check 'uapi header in C++' g++ -std=gnu++17 -Wall -Wextra -Werror -fsyntax-only -x c++ driver/uapi/homa_nic.h
check 'library and programs, -Wall -Wextra -Wconversion -Werror' make -s -C app BUILD="$build/app" apps
check 'programs for the guest, static' make -s -C app BUILD="$build/guest" STATIC=1 apps guest-tests

# The complete program of docs/api.md.
awk '/^```c complete$/ { on = 1; next } /^```$/ { on = 0 } on' docs/api.md >"$build/api-example.c"
example() {
  [ -s "$build/api-example.c" ] && gcc -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wconversion -Werror -Iapp/lib "$build/api-example.c" \
    "$build/app/libhoma_nic.a" -pthread -o "$build/api-example"
}
check 'the complete program of docs/api.md compiles' example

if BUILD="$build/app" sh app/test/run.sh >"$build/unit.log" 2>&1; then :; else failed=$((failed + 1)); fi
cat "$build/unit.log"
read -r p f s <<<"$(sed -nE 's/^([0-9]+) passed, ([0-9]+) failed, ([0-9]+) skipped$/\1 \2 \3/p' "$build/unit.log")"
passed=$((passed + ${p:-0})) failed=$((failed + ${f:-0})) skipped=$((skipped + ${s:-0}))
[ -n "${p:-}" ] || { failed=$((failed + 1)); echo 'FAILED: the unit tests did not finish'; }
echo 'stage: kernel module, C library and programs'
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
