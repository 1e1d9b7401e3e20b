#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The straightforward way to summarize a time trace: a regular expression for each line, dictionaries of lists.

This is what `homa-nic parse` is measured against. It prints the same figures: per event the interval since the
previous record, per pair of request and response the latency; nearest-rank percentiles, mean, deviation.
"""
import math
import re
import sys

LINE = re.compile(r" *(-?[0-9.]+) us \(\+ *(-?[0-9.]+) us\) \[([^\]]+)\] +(.+)")
HEX = re.compile(r"\b0x[0-9a-f]+\b")
NUMBER = re.compile(r"\b[0-9.]+\b")


def read(path):
    intervals = {}
    latencies = {}
    waiting = {}
    previous = None
    with open(path) as trace:
        for line in trace:
            match = LINE.match(line)
            if not match:
                continue
            now = round(float(match.group(1)) * 1000)
            printed = round(float(match.group(2)) * 1000)
            tag = match.group(3)
            name = NUMBER.sub("?", HEX.sub("?", match.group(4)))
            header = name.startswith("First event has timestamp")
            if previous is not None and not header:
                interval = now - previous
                if abs(printed - interval) <= 1:
                    interval = printed
                if name not in intervals:
                    intervals[name] = []
                intervals[name].append(interval)
                if name.endswith(" request"):
                    waiting[(name[: -len(" request")], tag)] = now
                elif name.endswith(" response"):
                    key = (name[: -len(" response")], tag)
                    since = waiting.pop(key, None)
                    if since is not None:
                        latency = interval if since == previous else now - since
                        if key[0] not in latencies:
                            latencies[key[0]] = []
                        latencies[key[0]].append(latency)
            previous = now
    return latencies, intervals


def summary(samples):
    samples.sort()
    count = len(samples)

    def percentile(thousandths):
        if count * (1000 - thousandths) < 1000:
            return "-"
        return samples[max(1, -(-count * thousandths // 1000)) - 1]

    mean = sum(samples) / count
    deviation = math.sqrt(sum((value - mean) ** 2 for value in samples) / count)
    figures = [percentile(p) for p in (500, 900, 990, 999)]
    return [count, samples[0], *figures, samples[-1], f"{mean:.3f}", f"{deviation:.3f}"]


def main():
    latencies, intervals = read(sys.argv[1])
    for kind, table in (("latency", latencies), ("interval", intervals)):
        for name, samples in table.items():
            print(kind, name, *summary(samples), sep=",")


main()
