"""Measures hlctl against its own emulator, beside what else does the same work, in one run.

    python tools/bench HLCTL [--before HLCTL] [--ministack PYTHON] [--rounds N] [--resources N] [--only PART]

The emulator is a process of its own, without latency unless a heading says otherwise. Nothing is asserted: figures depend
on the machine, and ratios hold better than they do. docs/performance.md says what each line means.
"""

import argparse
import pathlib

import data
import stack
from support import Table

PARTS = ("start", "stack", "ministack", "check", "upload", "memory", "search", "empty")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("hlctl")
    parser.add_argument("--before", help="an earlier build of hlctl, measured in turn with this one")
    parser.add_argument("--ministack", help="a Python that has MiniStack; without it that part is left out")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each measurement; the median counts")
    parser.add_argument("--resources", type=int, default=100_000, help="resources, and versions in a bucket")
    parser.add_argument("--only", choices=PARTS, action="append", help="only this part; may be repeated")
    arguments = parser.parse_args()
    hlctl, rounds, table = str(pathlib.Path(arguments.hlctl).resolve()), max(1, arguments.rounds), Table()
    parts = arguments.only or PARTS
    before = str(pathlib.Path(arguments.before).resolve()) if arguments.before else None
    if "start" in parts:
        stack.bench_start(table, hlctl, before)
    if "stack" in parts:
        for latency in stack.LATENCIES_MS:
            stack.bench_stack(table, hlctl, latency, rounds, before)
    if "ministack" in parts and arguments.ministack:
        python = str(pathlib.Path(arguments.ministack).absolute())
        stack.bench_ministack(table, hlctl, python, rounds, before)
    with data.Bench(table, hlctl, rounds, arguments.resources) as bench:
        for part in ("check", "upload", "memory", "search", "empty"):
            if part in parts:
                getattr(bench, part)()


if __name__ == "__main__":
    main()
