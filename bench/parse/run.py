#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures `homa-nic parse` against bench/parse/baseline.py, side by side, and prints; asserts nothing about time.

    python3 bench/parse/run.py [--events 1000000] [--pairs 5]

Each pair is one run of either, whole process, alternating, so that a busy machine is busy for both. Printed: least and
median of wall time and of processor time (user and system; the one to look at on a busy machine), both also net of the
start-up of the bare interpreter; peak memory; and whether the figures of the two agree.
"""
import argparse
import csv
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
HOMA_NIC = ["node", os.path.join(ROOT, "bin", "run.js")]


def measure(argv):
    """Runs a program; returns its output, wall seconds, processor seconds, peak memory in MB."""
    with tempfile.TemporaryFile() as out:
        begin = time.monotonic()
        pid = os.posix_spawnp(argv[0], argv, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, out.fileno(), 1)])
        _, status, usage = os.wait4(pid, 0)
        wall = time.monotonic() - begin
        if status != 0:
            sys.exit(f"{' '.join(argv)} failed with status {status}")
        out.seek(0)
        return out.read().decode(), wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def agree(ours, theirs):
    """Do both say the same: count, min, percentiles, max exactly, mean and deviation to a thousandth?"""
    report = json.loads(ours)["result"]
    figures = {}
    for kind, rows in (("latency", report["pairs"]), ("interval", report["events"])):
        for row in rows:
            name = row["request"].removesuffix(" request") if "request" in row else row["name"]
            figures[kind, name if kind == "interval" else name.split(" ")[0]] = row["summary"]
    for kind, name, *values in csv.reader(io.StringIO(theirs)):
        summary = figures.pop((kind, name))
        keys = ("count", "min", "p50", "p90", "p99", "p999", "max", "mean", "deviation")
        for key, value in zip(keys, values):
            mine = summary[key]
            if value == "-" and mine is None:
                continue
            if mine is None or abs(mine - float(value)) > (0.002 if key in ("mean", "deviation") else 0):
                return f"NO: {name} {key} is {mine} here, {value} there"
    return "yes" if not figures else f"NO: only here: {sorted(figures)}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--pairs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        trace = os.path.join(folder, "bench.tt")
        subprocess.run([sys.executable, os.path.join(HERE, "make-trace.py"), str(options.events), trace], check=True)
        programs = {
            "homa-nic parse": HOMA_NIC + ["parse", trace],
            "python, line by line": ["python3", os.path.join(HERE, "baseline.py"), trace],
            "node -e 0": ["node", "-e", "0"],
            "python3 -c 0": ["python3", "-c", "0"],
            "parse --help": HOMA_NIC + ["parse", "--help"],
        }
        runs = {name: [] for name in programs}
        for _ in range(options.pairs):
            for name, argv in programs.items():
                runs[name].append(measure(argv)[1:])
        same = agree(measure(HOMA_NIC + ["parse", "--json", trace])[0], measure(programs["python, line by line"])[0])
        size = os.path.getsize(trace) / 1e6
    print(f"{options.events} events, {size:.0f} MB, {options.pairs} alternated pairs; load {os.getloadavg()[0]:.1f}")
    print(f"{'':22}{'wall min':>10}{'median':>9}{'cpu min':>9}{'median':>9}{'memory':>10}")
    table = {}
    for name, samples in runs.items():
        wall, cpu, memory = zip(*samples)
        row = (min(wall), statistics.median(wall), min(cpu), statistics.median(cpu))
        table[name] = (*row, max(memory))
        print(f"{name:22}" + "".join(f"{value:8.3f} s" if i == 0 else f"{value:7.3f} s" for i, value in enumerate(row)) + f"{max(memory):7.0f} MB")
    ours, theirs = table["homa-nic parse"], table["python, line by line"]
    node, python, help_ = table["node -e 0"], table["python3 -c 0"], table["parse --help"]
    titles = ("wall min", "wall median", "cpu min", "cpu median")
    for i, title in enumerate(titles):
        net = (theirs[i] - python[i]) / (ours[i] - node[i])
        print(f"{title:12} faster {theirs[i] / ours[i]:5.1f}x whole, {net:5.1f}x net of start-up; --help is {help_[i] / node[i]:.1f}x node -e 0")
    print(f"memory: {ours[4] / theirs[4]:.2f} of python's; figures agree: {same}")


main()
