"""Which Python to install into: the one that computes fastest here.

Standard library alone, for it runs before anything is installed. Two builds of one version can differ by a third: a
shared library of the interpreter costs time at each call, and how it was compiled cannot be read off it; so the
candidates are timed, in turns, since a busy machine is twice as slow in one second as in the next. The first stays
unless another one is at least a tenth faster and can do all that the first can. Where ``python3`` is older than the
project needs, a newer one that stands beside it under its own name is taken. Runs on such an older one (3.8) too.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import NamedTuple, Sequence  # noqa: UP035 - Python 3.8

# elsewhere than on Linux the system's own may be a stub that opens a dialog
CANDIDATES = ("python3", "/usr/bin/python3") if sys.platform == "linux" else ("python3",)
BESIDE = ("python3.14", "python3.13", "python3.12", "python3.11")
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


def timed(commands: Sequence[str]) -> list[Build]:
    """The builds that these commands are, each one once, with the best time of some turns."""
    files = {os.path.realpath(found): found for found in map(shutil.which, commands) if found}
    rounds = [[probe(command) for command in files.values()] for _ in range(TURNS if len(files) > 1 else 1)]
    by_file = zip(*rounds)  # noqa: B905 - Python 3.10
    return [fastest_of(turns) for each in by_file if (turns := [build for build in each if build])]


def main(candidates: Sequence[str] = CANDIDATES, beside: Sequence[str] = BESIDE) -> int:
    """Print the path to take on standard output, and why on standard error where it is not the first; an exit code."""
    builds = timed(candidates)
    taken = choose(builds[0], builds[1:]) if builds else None
    if taken is None or taken.version < OLDEST:
        newer = [build for build in timed(beside) if build.version >= OLDEST]
        if not newer:
            found = ", ".join(f"{build.path} is {_text(build)}" for build in builds) or f"{candidates[0]} does not run"
            print(f"✗ Python 3.11 or newer is needed ({found}): install one, make setup PYTHON=...", file=sys.stderr)
            return 1
        print(f"· taking {newer[0].path} ({_text(newer[0])}), since {candidates[0]} is too old", file=sys.stderr)
        print(newer[0].path)
        return 0
    if taken is not builds[0]:
        why = f"{builds[0].seconds / taken.seconds:.1f} times as fast as {builds[0].path}"
        print(f"· taking {taken.path} ({_text(taken)}): {why} (another one: make setup PYTHON=...)", file=sys.stderr)
    print(taken.path)
    return 0


def _text(build: Build) -> str:
    return ".".join(map(str, build.version))


if __name__ == "__main__":
    sys.exit(main())
