"""The lock file is complete, and the cache counts as complete only when it is."""

from __future__ import annotations

import functools
import sys
import tarfile
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from creditbus.lab import artifacts
from creditbus.lab.errors import ArtifactError, OfflineError
from creditbus.lab.java import startup_options
from creditbus.lab.lockfile import KAFKA_VERSION, REGISTRY_VERSION, parse_lock, read_lock

LOCK = parse_lock(
    "\n".join(
        (
            "# comment",
            "org.example:tool:jar::1.0 5 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
            "org.example:app:tar.gz:all:2.0 5 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
        )
    )
)
TOOL = LOCK.kafka[0]


def test_the_lock_names_the_versions_that_the_code_names() -> None:
    lock = read_lock()
    names = {f"{artifact.name}:{artifact.version}" for artifact in lock.kafka}
    assert {f"kafka_2.13:{KAFKA_VERSION}", "slf4j-simple:1.7.36", f"kafka-clients:{KAFKA_VERSION}"} <= names
    assert lock.registry.filename == f"apicurio-registry-app-{REGISTRY_VERSION}-all.tar.gz"
    assert all(len(artifact.sha256) == 64 and artifact.size_bytes > 0 for artifact in lock.kafka)


def test_paths_are_those_of_a_maven_repository() -> None:
    assert str(TOOL.path) == "org/example/tool/1.0/tool-1.0.jar"


def test_a_download_that_is_not_what_was_locked_is_refused_and_not_kept(tmp_path: Path) -> None:
    target = tmp_path / "tool.jar"
    with pytest.raises(ArtifactError, match=r"tool-1\.0\.jar"):
        artifacts._fetch_verified(TOOL, target, lambda: target.write_bytes(b"jello"))
    assert not target.exists()


def test_a_broken_download_is_tried_again_and_then_called_offline(tmp_path: Path) -> None:
    attempts = []

    def fail() -> None:
        attempts.append(1)
        raise ConnectionError("no network")

    with pytest.raises(OfflineError, match="CREDITBUS_CACHE"):
        artifacts._fetch_verified(TOOL, tmp_path / "tool.jar", fail)
    assert len(attempts) == artifacts.DOWNLOAD_ATTEMPTS


def test_a_truncated_jar_makes_the_cache_incomplete(tmp_path: Path) -> None:
    jar = tmp_path / "maven" / TOOL.path
    registry = artifacts._registry_jar(tmp_path, LOCK)
    for file in (jar, registry):
        file.parent.mkdir(parents=True)
        file.write_bytes(b"hello")
    artifacts._stamp_path(tmp_path, LOCK).write_text(str(jar))
    assert artifacts.is_complete(tmp_path, LOCK)
    jar.write_bytes(b"hell")
    assert not artifacts.is_complete(tmp_path, LOCK)


def test_a_start_up_cache_is_used_when_there_is_one_and_written_only_when_wanted(tmp_path: Path) -> None:
    cache = tmp_path / "kafka.aot"
    assert startup_options(cache, record=False) == ()
    assert startup_options(cache, record=True)[0] == f"-XX:AOTCacheOutput={cache}"
    cache.touch()
    assert startup_options(cache, record=True)[0] == f"-XX:AOTCache={cache}"


@pytest.mark.parametrize(
    "has_filters",
    [
        pytest.param(True, id="3.11.4 and later"),
        pytest.param(
            False, id="3.11.2", marks=pytest.mark.skipif(sys.version_info >= (3, 14), reason="cannot be taken from it")
        ),
    ],
)
def test_an_archive_is_unpacked_by_every_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, has_filters: bool
) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "start.jar").write_bytes(b"jar")
    archive = tmp_path / "app.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(tmp_path / "app", "app")
    if not has_filters:
        monkeypatch.delattr(tarfile, "data_filter", raising=False)
        plain = functools.partialmethod(_extract_without_filters, tarfile.TarFile.extractall)
        monkeypatch.setattr(tarfile.TarFile, "extractall", plain)
    artifacts._unpack(archive, tmp_path / "cache" / "app")
    assert (tmp_path / "cache" / "app" / "app" / "start.jar").read_bytes() == b"jar"
    assert not archive.exists()


def _extract_without_filters(tar: tarfile.TarFile, extract: Callable[..., None], folder: Path) -> None:
    """What Python 3.11.2 takes: no ``filter``."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        extract(tar, folder)
