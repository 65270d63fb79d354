"""Java processes of the lab: the arguments that every JVM gets, and the start-up cache that halves its start."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from creditbus.lab.artifacts import Artifacts

DATED_LOG = (
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
)
"""Options of a JVM that logs through slf4j-simple."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Jvm:
    """Memory and start-up of one JVM.

    record_startup: when there is no start-up cache yet, write one at the first orderly stop (JEP 514, about ten
    seconds, once for an installation); a kill then leaves none and does no harm.
    """

    max_heap_mb: int
    min_heap_mb: int
    record_startup: bool = False


def java_command(name: str, jvm: Jvm, artifacts: Artifacts, arguments: tuple[str, ...]) -> tuple[str, ...]:
    """The command line of a JVM; arguments start with its options and end with what it runs."""
    return (
        str(artifacts.java),
        f"-Xms{jvm.min_heap_mb}m",
        f"-Xmx{jvm.max_heap_mb}m",
        "-XX:+ExitOnOutOfMemoryError",
        "-Djava.awt.headless=true",
        *startup_options(startup_cache(name, artifacts), record=jvm.record_startup),
        *arguments,
    )


def startup_cache(name: str, artifacts: Artifacts) -> Path:
    """Where the start-up cache of a JVM is: never used with other jars or another Java."""
    return artifacts.cache / f"{name}-{artifacts.stamp}.aot"


def startup_options(cache: Path, *, record: bool) -> tuple[str, ...]:
    """Use the start-up cache when there is one, else write it if that is wanted."""
    if cache.exists():
        return (f"-XX:AOTCache={cache}", "-Xlog:aot=error", "-Xlog:cds=error")
    return (f"-XX:AOTCacheOutput={cache}", "-Xlog:aot=error", "-Xlog:cds=error") if record else ()
