#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a time trace with COUNT events to FILE: requests and responses with times as an echo test has them, seed 1."""
import random
import sys


def main():
    count, path = int(sys.argv[1]), sys.argv[2]
    random.seed(1)
    now = 0
    with open(path, "w") as trace:
        trace.write("    0.000 us (+   0.000 us) [C0]   First event has timestamp 1 (cpu_ghz 2.400000000000000)\n")
        for _ in range(count // 2):
            for name, step in (
                ("request", max(40, int(random.gauss(82, 8)))),
                ("response", 1000 + int(random.lognormvariate(0, 0.5) * 30)),
            ):
                now += step
                trace.write(f"{now / 1000:9.3f} us (+{step / 1000:8.3f} us) [main] write {name}\n")


main()
