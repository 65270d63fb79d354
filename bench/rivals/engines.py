"""What can do the job, and how each is started: this project's loop, Kafka Streams, Quix Streams, faust-streaming."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.rivals.job import SCHEMA, SCHEMA_TEXT
from bench.rivals.streams import build
from creditbus.lab.artifacts import default_cache

_HERE = Path(__file__).parent
Commands = Callable[[str, str, int], list[list[str]]]
"""Command lines of an engine's processes, for a run's name, an input topic and a commit interval in milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """Something that can do the job."""

    name: str
    processes: int
    commands: Commands
    share: float = 1.0
    """Of the load that it gets: a slow one would keep the others waiting for its end."""
    keeps_up: bool = True
    """Whether it can follow the steady rate at which latency is measured."""

    @property
    def code(self) -> str:
        """Part of the names of its topics and groups."""
        return f"{self.name.split(',')[0].replace(' ', '-').lower()}-{self.processes}"


def engines(brokers: str, folder: Path, *, all_of_them: bool) -> list[Engine]:
    """This project's loop with one and two processes and Kafka Streams with two threads; all_of_them: the slow too."""
    cache = default_cache() / "bench"
    streams = build(cache)

    def java(run: str, source: str, commit_ms: int) -> list[list[str]]:
        state = str(folder / run)
        return [[*streams, brokers, run, source, f"{run}-out", state, str(commit_ms), "2", SCHEMA_TEXT]]

    def python(processes: int, script: str, interpreter: str = sys.executable) -> Commands:
        def commands(run: str, source: str, commit_ms: int) -> list[list[str]]:
            told = {
                "brokers": brokers, "group": run, "source": source, "output": f"{run}-out", "changelog": f"{run}-log",
                "folder": str(folder / run), "commit_ms": commit_ms, "schema": SCHEMA,
            }  # fmt: skip
            return [[interpreter, str(_HERE / script), json.dumps({**told, "slot": slot})] for slot in range(processes)]

        return commands

    fast = [
        Engine(name="ours, 1 process", processes=1, commands=python(1, "ours.py")),
        Engine(name="ours, 2 processes", processes=2, commands=python(2, "ours.py")),
        Engine(name="Kafka Streams, 2 threads", processes=1, commands=java),
    ]
    if not all_of_them:
        return fast
    quix = _quix_environment(cache)
    return [
        *fast,
        Engine(name="Quix Streams, 1 process", processes=1, commands=python(1, "with_quix.py", quix), share=0.2),
        Engine(name="Quix Streams, 2 processes", processes=2, commands=python(2, "with_quix.py", quix), share=0.2),
        Engine(
            name="faust-streaming, 1 process",
            processes=1,
            commands=python(1, "with_faust.py"),
            share=0.05,
            keeps_up=False,
        ),
    ]


def _quix_environment(cache: Path) -> str:
    """The interpreter of an environment with the locked Quix Streams, made when it is not there or not the locked one.

    Quix Streams pins clients of other versions than ours, so that one environment cannot hold both.
    """
    lock = _HERE / "quix.lock"
    folder = cache / "quix"
    mark, interpreter = folder / "lock", folder / "bin" / "python"
    if not mark.exists() or mark.read_bytes() != lock.read_bytes():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        install = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--require-hashes",
            "-r",
            str(lock),
        ]
        subprocess.run([str(interpreter), *install], check=True)
        mark.write_bytes(lock.read_bytes())
    return str(interpreter)
