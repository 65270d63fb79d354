"""The lock file `artifacts.lock`: every Java artifact of the lab with its size and SHA-256.

Written by `python -m creditbus.lab.lockfile`, which lets jgo resolve the coordinates in `ROOTS`; read at every start.
With it a start needs no dependency resolution (20 s of POM reading) and a tampered or truncated download is refused.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from dataclasses import dataclass
from importlib import resources
from pathlib import Path, PurePosixPath
from typing import Any

KAFKA_VERSION = "4.1.1"
REGISTRY_VERSION = "3.0.9"

# slf4j-simple and not log4j 2: with log4j on the same endpoint its managed versions downgrade kafka-clients
ROOTS = (
    f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}",
    f"org.apache.kafka:kafka-server:{KAFKA_VERSION}",
    f"org.apache.kafka:kafka-tools:{KAFKA_VERSION}",
    # MirrorMaker 2, and the converters that it starts with
    f"org.apache.kafka:connect-mirror:{KAFKA_VERSION}",
    f"org.apache.kafka:connect-json:{KAFKA_VERSION}",
    "org.slf4j:slf4j-simple:1.7.36",
)
REGISTRY = f"io.apicurio:apicurio-registry-app:tar.gz:all:{REGISTRY_VERSION}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedArtifact:
    """One file of a Maven repository, pinned."""

    group: str
    name: str
    packaging: str
    classifier: str
    version: str
    size_bytes: int
    sha256: str

    @property
    def filename(self) -> str:
        """The file's name in a Maven repository."""
        classifier = f"-{self.classifier}" if self.classifier else ""
        return f"{self.name}-{self.version}{classifier}.{self.packaging}"

    @property
    def path(self) -> PurePosixPath:
        """The file's place below a Maven repository's root."""
        return PurePosixPath(*self.group.split("."), self.name, self.version, self.filename)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """The pinned artifacts and the lock file's own hash, which names what was made from it."""

    kafka: tuple[LockedArtifact, ...]
    registry: LockedArtifact
    sha256: str


def read_lock() -> Lock:
    """Read the lock file that ships with the package."""
    return parse_lock(resources.files(__package__).joinpath("artifacts.lock").read_text(encoding="utf-8"))


def parse_lock(text: str) -> Lock:
    """Parse lines of `group:name:packaging:classifier:version size sha256`; raises ValueError on any other line."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    artifacts = tuple(parse_line(line) for line in lines)
    return Lock(
        kafka=tuple(artifact for artifact in artifacts if artifact.packaging == "jar"),
        registry=next(artifact for artifact in artifacts if artifact.packaging == "tar.gz"),
        sha256=hashlib.sha256("\n".join(lines).encode()).hexdigest(),
    )


def parse_line(line: str) -> LockedArtifact:
    """Parse one line of the lock file."""
    coordinate, size, sha256 = line.split(" ")
    group, name, packaging, classifier, version = coordinate.split(":")
    return LockedArtifact(
        group=group,
        name=name,
        packaging=packaging,
        classifier=classifier,
        version=version,
        size_bytes=int(size),
        sha256=sha256,
    )


def resolve_lines(repository: Path) -> list[str]:
    """Let jgo resolve and download `ROOTS` and `REGISTRY` into repository; the lock file's lines, sorted."""
    from jgo.maven import MavenContext, PythonResolver

    context = MavenContext(resolver=PythonResolver(), repo_cache=repository)
    roots = [context.create_dependency(root) for root in ROOTS]
    for root in roots:
        root.scope = "compile"
    inputs, transitive = context.resolver.resolve(roots)
    wanted = [*inputs, *(dependency for dependency in transitive if dependency.scope in ("compile", "runtime"))]
    group, name, packaging, classifier, version = REGISTRY.split(":")
    registry = context.project(group, name).at_version(version).artifact(classifier, packaging)
    return sorted(_to_line(artifact) for artifact in [*(dependency.artifact for dependency in wanted), registry])


def _to_line(artifact: Any) -> str:
    content = artifact.resolve().read_bytes()
    coordinate = ":".join(
        (artifact.groupId, artifact.artifactId, artifact.packaging, artifact.classifier, artifact.version)
    )
    return f"{coordinate} {len(content)} {hashlib.sha256(content).hexdigest()}"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        sys.stdout.write("# group:name:packaging:classifier:version size sha256, by python -m creditbus.lab.lockfile\n")
        sys.stdout.write("\n".join(resolve_lines(Path(folder))) + "\n")
