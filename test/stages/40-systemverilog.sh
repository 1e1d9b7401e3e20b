#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The generated SystemVerilog: lints clean, and its elaboration-time assertions do fail when an offset is wrong.
set -u
cd "$(dirname "$0")/../.." || exit 1
if ! command -v verilator >/dev/null; then
  echo "verilator is missing: run ./setup.sh"
  echo "0 passed, 2 failed"
  exit 1
fi
passed=0
failed=0
check() {
  if "${@:2}"; then
    passed=$((passed + 1))
    echo "ok $1"
  else
    failed=$((failed + 1))
    echo "FAIL $1"
  fi
}
lint() { verilator --lint-only -Wall "$@"; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sed -E 's/(HeaderBuffAddrByte = )40;/\144;/' hw/rtl/homa_nic_regs_pkg.sv >"$work/homa_nic_regs_pkg.sv"
cp hw/rtl/homa_nic_regs_check.sv "$work"
refuses_a_wrong_offset() { ! lint "$work"/homa_nic_regs_pkg.sv "$work"/homa_nic_regs_check.sv 2>"$work/said" && grep -q misplaced "$work/said"; }
check "homa_nic_regs_pkg lints clean" lint hw/rtl/homa_nic_regs_pkg.sv hw/rtl/homa_nic_regs_check.sv
check "homa_nic_regs_check refuses a misplaced field" refuses_a_wrong_offset
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
