"""Which Python to install into: the one that computes fastest here.

Standard library alone, for it runs before anything is installed. Two builds of one version can differ by a third: a
shared library of the interpreter costs time at each call, and how it was compiled cannot be read off it; so the
candidates are timed, in turns, since a busy machine is twice as slow in one second as in the next. The first stays
unless another one is at least a tenth faster and can do all that the first can.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import NamedTuple

# elsewhere than on Linux the system's own may be a stub that opens a dialog
CANDIDATES = ("python3", "/usr/bin/python3") if sys.platform == "linux" else ("python3",)
OLDEST = (3, 11)
TURNS = 5
GAIN = 1.1  # a faster build must be faster by this much: less is within what a busy machine does to the timing

PROBE = """
import json, os, sys, sysconfig, time
def work():
    counts = {}
    for number in range(60000):
        key = (number % 97, str(number % 89))
        counts[key] = counts.get(key, 0) + len(key[1])
    return sum(counts.values())
def timed():
    begin = time.process_time()
    work()
    return time.process_time() - begin
header = os.path.join(sysconfig.get_path("include"), "Python.h")
print(json.dumps({
    "path": sys.executable, "version": sys.version_info[:3], "headers": os.path.exists(header),
    "seconds": min(timed() for _ in range(4)),
}))
"""


class Build(NamedTuple):
    """One Python of this machine: its path, its version, whether C can be compiled for it, seconds of the probe."""

    path: str
    version: tuple[int, int, int]
    headers: bool
    seconds: float


def probe(command: str) -> Build | None:
    """What ``command`` is and how fast; None if it is no Python that runs."""
    try:
        done = subprocess.run([command, "-c", PROBE], capture_output=True, text=True, timeout=60, check=True)
        read = json.loads(done.stdout)
        return Build(read["path"], tuple(read["version"]), read["headers"], read["seconds"])
    except (OSError, subprocess.SubprocessError, ValueError, KeyError):
        return None


def fastest_of(turns: list[Build]) -> Build:
    """A build with the best time of its turns: nothing but itself makes it faster than it is."""
    return min(turns, key=lambda build: build.seconds)


def choose(first: Build, others: list[Build]) -> Build:
    """The first, or another one that is new enough, has the headers too and is faster by ``GAIN``."""
    able = [build for build in others if build.version >= OLDEST and (build.headers or not first.headers)]
    best = min(able, key=lambda build: build.seconds, default=first)
    too_old = first.version < OLDEST
    return best if too_old or first.seconds > best.seconds * GAIN else first


def main() -> None:
    """Print the path to take on standard output, and why on standard error where it is not the first."""
    files = {os.path.realpath(found): found for found in map(shutil.which, CANDIDATES) if found}  # each one once
    rounds = [[probe(command) for command in files.values()] for _ in range(TURNS if len(files) > 1 else 1)]
    builds = [fastest_of(turns) for each in zip(*rounds, strict=True) if (turns := [build for build in each if build])]
    if not builds:
        print(CANDIDATES[0])
        return
    first, *others = builds
    taken = choose(first, others)
    if taken is not first:
        version = ".".join(map(str, taken.version))
        why = f"{first.seconds / taken.seconds:.1f} times as fast as {first.path}"
        print(f"· taking {taken.path} ({version}): {why} (another one: make setup PYTHON=...)", file=sys.stderr)
    print(taken.path)


if __name__ == "__main__":
    main()
