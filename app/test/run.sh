#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# make -C app test: unit tests of the library on ordinary memory, with AddressSanitizer and UBSan.
set -eu
cd "$(dirname "$0")/.."
build=${BUILD:-build}
mkdir -p "$build"
cc=${CC:-cc}
$cc -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wconversion -Werror -pthread -g -O1 -fsanitize=address,undefined \
	-fno-sanitize-recover=all -fno-omit-frame-pointer \
	lib/*.c src/result.c src/payload.c test/main.c test/fake_card.c test/test_*.c -lm -o "$build/unit-tests"
exec "$build/unit-tests" "$@"
