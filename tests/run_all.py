#!/usr/bin/env python3
"""Runs `meson test` in a build folder and counts test cases, not executables.

The last line printed is `N passed, N failed`. What a meson test is worth:
  - a doctest executable: the cases of its summary line `[doctest] test cases: ...`;
  - a suite of ours whose last line is `N passed, N failed`: those numbers;
  - any other: one case.
A test that crashed, timed out or was skipped counts as at least one failed case, and so does one
that ran no case at all: what cannot fail proves nothing.
The exit code is 0 if no case failed and at least one ran.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
from typing import NamedTuple

DOCTEST_SUMMARY = re.compile(
    r"^\[doctest\] test cases:\s*(\d+) \|\s*(\d+) passed \|\s*(\d+) failed", re.MULTILINE)
PLAIN_SUMMARY = re.compile(r"^(\d+) passed, (\d+) failed$")


class Count(NamedTuple):
    """Test cases by how they ended."""

    passed: int
    failed: int

    def __add__(self, other):
        return Count(self.passed + other.passed, self.failed + other.failed)


def reported_count(output):
    """What the test itself says it ran, or None if it says nothing."""
    summaries = DOCTEST_SUMMARY.findall(output)
    if summaries:
        return Count(sum(int(s[1]) for s in summaries), sum(int(s[2]) for s in summaries))
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    plain = PLAIN_SUMMARY.match(lines[-1]) if lines else None
    return Count(int(plain[1]), int(plain[2])) if plain else None


def count_test(entry):
    """The cases of one entry of meson's testlog.json."""
    good = entry["result"] in ("OK", "EXPECTEDFAIL")
    count = reported_count(entry.get("stdout") or "")
    if count is None:
        return Count(1, 0) if good else Count(0, 1)
    if not good or count == Count(0, 0):
        return Count(count.passed, max(count.failed, 1))
    return count


def read_log(path):
    """The entries of testlog.json; none if meson ran no test."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", errors="replace") as log:
        return [json.loads(line) for line in log if line.strip()]


def run_meson(options):
    """Runs meson; returns its exit code and the log's entries."""
    log = options.build_dir / "meson-logs" / "testlog.json"
    log.unlink(missing_ok=True)
    command = ["meson", "test", "-C", str(options.build_dir), "--print-errorlogs",
               "--num-processes", str(options.num_processes),
               "--timeout-multiplier", str(options.timeout_multiplier)]
    for suite in options.suite:
        command += ["--suite", suite]
    code = subprocess.run(command + options.names, stdin=subprocess.DEVNULL, check=False).returncode
    return code, read_log(log)


def default_processes(cores):
    """Tests at a time: the long ones wait for the programs that they started three quarters of
    their time, and some of those programs are large."""
    return min(4, 2 * (cores or 1))


def slowest(entries, count=8):
    """A line that names the tests which took longest."""
    entries = sorted(entries, key=lambda entry: -entry["duration"])[:count]
    return "slowest: " + ", ".join(f"{e['name']} {e['duration']:.0f} s" for e in entries)


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build-dir", type=pathlib.Path, default=pathlib.Path("build"))
    parser.add_argument("--suite", action="append", default=[], metavar="NAME",
                        help="only tests of this suite (may be repeated)")
    parser.add_argument("--num-processes", type=int, default=default_processes(os.cpu_count()),
                        metavar="N", help="tests at a time (default: %(default)s)")
    parser.add_argument("--timeout-multiplier", type=float, default=3.0, metavar="X",
                        help="for slow builds: sanitizers")
    parser.add_argument("names", nargs="*", help="only these tests")
    return parser.parse_args(arguments)


def main(arguments):
    code, entries = run_meson(parse(arguments))
    total = Count(0, 0)
    for entry in entries:
        count = count_test(entry)
        if count.failed:
            print(f"failed: {entry['name']} ({entry['result'].lower()})")
        total += count
    if code != 0 and total.failed == 0:
        print("failed: meson test ended with code", code)
        total += Count(0, 1)
    print(slowest(entries) if entries else "no test ran")
    print(f"{total.passed} passed, {total.failed} failed", flush=True)
    return 0 if total.failed == 0 and total.passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
