"""Fixtures shared by every kind of test, and the policy of the tests.

Kinds: unit (mirrors services/creditbus; no network, no sleep, no mocks) · schemas (every schema and example is used) ·
contract (one suite a port, run by every implementation) · integration (adapters against real Kafka, registry,
ClickHouse; mark `integration`) · e2e and chaos (the whole stack; the same with processes killed).
Run one: `pytest tests/unit/lab/test_steps.py -k back_off`; without real parts: `pytest -m "not integration"`.

Real Kafka and registry come from, in this order: CREDITBUS_TEST_BROKERS and CREDITBUS_TEST_REGISTRY_URL; testcontainers
where a Docker engine answers; the lab's own processes, one pair for each pytest process that needs it. The
header says which. The ClickHouse engine is CREDITBUS_TEST_CLICKHOUSE_URL or the lab's own front.
Nothing is skipped because a real part is missing: it is started or the test fails. A skip therefore means that the
machine cannot do it at all (no Chromium, say), and its reason is printed.

Fixtures: the smallest shared one stands here; rare shapes are built in the test. Topics and groups are shared by all
tests of a run, so every name is made with `unique_name`.
Tests see no CREDITBUS_* variable but the cache folder: what they need they set.
"""

from __future__ import annotations

import gc
import itertools
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from xdist.remote import Producer  # type: ignore[import-untyped]
from xdist.scheduler.loadscope import LoadScopeScheduling  # type: ignore[import-untyped]

from ports import free_ports

if TYPE_CHECKING:
    from creditbus.bus.keyfiles import VaultKeys
    from creditbus.bus.privacy import Vault
    from creditbus.lab.artifacts import Artifacts

pytest_plugins = ["running_lab"]

DOCKER_SOCKET = Path("/var/run/docker.sock")
KEPT_VARIABLES = ("CREDITBUS_CACHE",)
SECOND_LAB = (
    "story", "webhooks", "forgetting", "editions", "breaker", "quarantine", "identity", "views", "initial", "past",
)  # fmt: skip
"""Half of what needs a lab, measured by its time."""
TOGETHER = (
    ("tests/e2e/test_console_page.py", "browser"),
    ("tests/e2e/test_region.py", "region"),
    *((f"tests/e2e/test_{name}", "second lab") for name in SECOND_LAB),
    ("tests/e2e/", "lab"),
    ("tests/chaos/test_broker_away.py", "lab"),
    ("tests/chaos/test_clickhouse_lost.py", "lab"),
    ("tests/chaos/test_registry_away.py", "lab"),
    ("tests/chaos/test_kill_nine.py", "second lab"),
    ("tests/integration/bus/test_rights.py", "rights"),
    ("tests/integration/lab/test_rebuilding.py", "rebuilding"),
    ("tests/chaos/", "parts"),
    ("tests/contract/", "parts"),
    ("tests/integration/", "parts"),
)
"""Beginnings of tests' ids, and what those tests share; all others share nothing."""
COMPUTING = ("tests/unit/", "tests/schemas/")
STANDING_BACK = 15
"""Niceness: little more than the processor time that nobody else wants."""
AUTOGROUP = Path("/proc/self/autogroup")
KAFKA_IMAGE = "confluentinc/cp-kafka:8.0.0"
REGISTRY_IMAGE = "apicurio/apicurio-registry:3.0.9"

given_brokers = pytest.StashKey[str]()
given_registry = pytest.StashKey[str]()
given_clickhouse = pytest.StashKey[str]()
docker_answers = pytest.StashKey[bool]()

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("exhaustive", max_examples=5_000, deadline=None)


def pytest_configure(config: pytest.Config) -> None:
    """Read what the environment says about this run, before tests get an emptied one."""
    config.stash[given_brokers] = os.environ.get("CREDITBUS_TEST_BROKERS", "")
    config.stash[given_registry] = os.environ.get("CREDITBUS_TEST_REGISTRY_URL", "")
    config.stash[given_clickhouse] = os.environ.get("CREDITBUS_TEST_CLICKHOUSE_URL", "")
    config.stash[docker_answers] = not config.stash[given_brokers] and has_docker()
    # thirty brokers live for a minute each: what the second compiler does for them comes too late, and costs a third
    os.environ.setdefault("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1")
    settings.load_profile(os.environ.get("CREDITBUS_TEST_PROFILE", "repeatable"))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """With three workers, two have a lab each and one the single parts; all share the rest, one test at a time."""
    return OneLab(config, log)


class OneLab(LoadScopeScheduling):  # type: ignore[misc]
    """Tests that share something that takes long to start stay together, so that it is started once."""

    def _split_scope(self, nodeid: str) -> str:
        return next((scope for prefix, scope in TOGETHER if nodeid.startswith(prefix)), nodeid)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Beside tests that wait for real parts, those that only compute stand back; they come last on every worker."""
    if "PYTEST_XDIST_WORKER" in os.environ and item.nodeid.startswith(COMPUTING):
        stand_back()


def stand_back() -> None:
    """Let everything else go first; Linux weighs sessions against each other where it groups processes by them."""
    if os.getpriority(os.PRIO_PROCESS, 0) == STANDING_BACK:
        return
    os.setpriority(os.PRIO_PROCESS, 0, STANDING_BACK)
    if AUTOGROUP.exists():
        with suppress(OSError):
            os.setsid()
            AUTOGROUP.write_text(str(STANDING_BACK))


def pytest_report_header(config: pytest.Config) -> str:
    """Say where Kafka and the registry come from."""
    return f"kafka: {source_of(config, given_brokers)}; registry: {source_of(config, given_registry)}"


def source_of(config: pytest.Config, given: pytest.StashKey[str]) -> str:
    """Where a real part comes from in this run."""
    if config.stash[given]:
        return f"{config.stash[given]} (from the environment)"
    return "testcontainers" if config.stash[docker_answers] else "the lab's own process (no Docker engine answers)"


def has_docker() -> bool:
    """Whether a Docker engine answers, within two seconds."""
    if not os.environ.get("DOCKER_HOST") and not DOCKER_SOCKET.exists():
        return False
    with warnings.catch_warnings():
        # the client leaves its socket open when nobody listens; a test would be blamed for it
        warnings.simplefilter("ignore", ResourceWarning)
        answers = docker_pings()
        gc.collect()
    return answers


def docker_pings() -> bool:
    """Whether the Docker engine that is configured answers."""
    import docker  # type: ignore[import-untyped]

    try:
        with closing(docker.from_env(timeout=2)) as client:
            return bool(client.ping())
    except docker.errors.DockerException:
        return False


@pytest.fixture
def open_vault() -> Iterator[Callable[[Path, Callable[[], VaultKeys]], Vault]]:
    """Opens vaults that are closed at the end of the test."""
    from creditbus.bus.vaults import open_vault  # noqa: PLC0415 - only the tests that use it should pay for it

    with ExitStack() as stack:
        yield lambda path, read_keys: stack.enter_context(closing(open_vault(str(path), read_keys)))


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the developer's shell reaches a test."""
    for name in [name for name in os.environ if name.startswith("CREDITBUS_") and name not in KEPT_VARIABLES]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def unique_name() -> Callable[[str], str]:
    """A factory of names for topics, groups and subjects that no other test, worker or earlier run uses."""
    run = os.urandom(4).hex()
    numbers = itertools.count()
    return lambda stem: f"test.{run}.{next(numbers)}.{stem}"


@pytest.fixture
def topic_prefix(unique_name: Callable[[str], str]) -> str:
    """A prefix of this test's own, ending in a dot."""
    return unique_name("")


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    """A factory of ports that are free on the loopback interface."""
    return lambda: free_ports(1)[0]


@pytest.fixture(scope="session")
def lab_artifacts() -> Artifacts:
    """The lab's Java artifacts, downloaded into the cache on first use."""
    from creditbus.lab.artifacts import resolve_artifacts

    return resolve_artifacts()


@pytest.fixture(scope="session")
def kafka_brokers(request: pytest.FixtureRequest) -> Iterator[str]:
    """bootstrap.servers of a real Kafka."""
    if given := request.config.stash[given_brokers]:
        yield given
    elif request.config.stash[docker_answers]:
        yield from containerised_kafka()
    else:
        yield from lab_kafka(request)


@pytest.fixture(scope="session")
def registry_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """schema.registry.url of a real registry with the Confluent API."""
    if given := request.config.stash[given_registry]:
        yield given
    elif request.config.stash[docker_answers]:
        yield from containerised_registry()
    else:
        yield from lab_registry(request)


def lab_kafka(request: pytest.FixtureRequest) -> Iterator[str]:
    """The lab's own Kafka, on free ports and a folder of this run."""
    from creditbus.lab import kafka, process

    artifacts: Artifacts = request.getfixturevalue("lab_artifacts")
    port: Callable[[], int] = request.getfixturevalue("free_port")
    folder = request.getfixturevalue("tmp_path_factory").mktemp("kafka")
    node = kafka.KafkaNode(folder=folder, port=port(), controller_port=port())
    with process.running(kafka.kafka_process(node, artifacts), folder / "kafka.log"):
        yield node.brokers


def lab_registry(request: pytest.FixtureRequest) -> Iterator[str]:
    """The lab's own registry, stored in the run's Kafka."""
    from creditbus.lab import process, registry

    brokers: str = request.getfixturevalue("kafka_brokers")
    artifacts: Artifacts = request.getfixturevalue("lab_artifacts")
    port: Callable[[], int] = request.getfixturevalue("free_port")
    folder = request.getfixturevalue("tmp_path_factory").mktemp("registry")
    node = registry.RegistryNode(port=port(), brokers=brokers)
    with process.running(registry.registry_process(node, artifacts), folder / "registry.log"):
        yield node.url


def containerised_kafka() -> Iterator[str]:
    """A Kafka container."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # testcontainers' own modules
        from testcontainers.kafka import KafkaContainer
    with KafkaContainer(KAFKA_IMAGE).with_kraft() as container:
        yield str(container.get_bootstrap_server())


def containerised_registry() -> Iterator[str]:
    """A registry container, stored in memory: tests share nothing with an earlier run."""
    from creditbus.lab.registry import CONFLUENT_API

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # testcontainers' own modules
        from testcontainers.core.container import DockerContainer
        from testcontainers.core.waiting_utils import wait_for_logs
    with DockerContainer(REGISTRY_IMAGE).with_exposed_ports(8080) as container:
        wait_for_logs(container, "Listening on", timeout=120)
        yield f"http://{container.get_container_host_ip()}:{container.get_exposed_port(8080)}{CONFLUENT_API}"


@pytest.fixture(scope="session")
def clickhouse_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Address of a real ClickHouse engine: given, or the front of the lab in a folder of this run."""
    from creditbus.lab import clickhouse, process

    if given := request.config.stash[given_clickhouse]:
        yield given
        return
    port: int = request.getfixturevalue("free_port")()
    folder = request.getfixturevalue("tmp_path_factory").mktemp("clickhouse")
    engine = clickhouse.clickhouse_process(folder / "data", port)
    with process.running(engine, folder / "front.log"):
        yield engine.address
