"""Kafka Streams for the comparison: jars from Maven's coordinates, the job compiled with Eclipse's compiler."""

from __future__ import annotations

import subprocess
from pathlib import Path

from creditbus.lab.artifacts import find_java
from creditbus.lab.lockfile import KAFKA_VERSION

_SOURCE = Path(__file__).parent / "java" / "PaymentsJob.java"
_JOB = (
    f"org.apache.kafka:kafka-streams:{KAFKA_VERSION}",
    "org.apache.avro:avro:1.12.0",
    "org.slf4j:slf4j-nop:2.0.17",
)
_COMPILER = "org.eclipse.jdt:ecj:3.41.0"


def build(cache: Path) -> list[str]:
    """Command line that starts the job, but for its arguments; downloads and compiles what is not there yet."""
    java, _ = find_java()
    jars = _resolve(cache, _JOB)
    classes = cache / "classes"
    built = classes / "PaymentsJob.class"
    if not built.exists() or built.stat().st_mtime < _SOURCE.stat().st_mtime:
        classes.mkdir(parents=True, exist_ok=True)
        compiler = ["-cp", _path(_resolve(cache, (_COMPILER,))), "org.eclipse.jdt.internal.compiler.batch.Main"]
        options = ["-17", "-proc:none", "-nowarn", "-cp", _path(jars), "-d", str(classes), str(_SOURCE)]
        subprocess.run([str(java), *compiler, *options], check=True)
    return [str(java), "-Xmx1g", "-cp", _path([classes, *jars]), "PaymentsJob"]


def _resolve(cache: Path, coordinates: tuple[str, ...]) -> list[Path]:
    from jgo.maven import MavenContext, PythonResolver

    context = MavenContext(resolver=PythonResolver(), repo_cache=cache / "maven")
    roots = [context.create_dependency(one) for one in coordinates]
    for root in roots:
        root.scope = "compile"
    inputs, transitive = context.resolver.resolve(roots)
    wanted = [*inputs, *(dependency for dependency in transitive if dependency.scope in ("compile", "runtime"))]
    return [dependency.artifact.resolve() for dependency in wanted]


def _path(files: list[Path]) -> str:
    return ":".join(dict.fromkeys(str(file) for file in files))
