#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The sizes and offsets of the host interface, asserted by the compilers that will read them: C, C++ and SystemVerilog.
set -u
passed=0 failed=0
check() {
  local what=$1
  shift
  if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED: $what"; fi
}
header=driver/uapi/homa_nic_regs.h
check 'C header' gcc -std=gnu11 -Wall -Wextra -Werror -fsyntax-only -x c "$header"
check 'C++ header' g++ -std=gnu++17 -Wall -Wextra -Werror -fsyntax-only -x c++ "$header"
check 'SystemVerilog package' verilator --lint-only --top-module homa_nic_regs_check hw/rtl/homa_nic_regs_pkg.sv hw/rtl/homa_nic_regs_check.sv
check 'generated files are current' npm run --silent generate:check
echo 'stage: host interface in C, C++ and SystemVerilog'
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
