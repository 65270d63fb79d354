"""Wiring of the monitor: a faust-streaming app over credit.quality, and its gauges.

The windows are values of steps.py and no Faust tables: a table would bring a changelog topic that Faust names, sizes
and creates, and an assignor and leader topic with it, while every topic here stands in deploy/topics.yaml. Gauges that
may be off after a restart do not need that.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict, dataclass
from typing import Any

import faust
import structlog

from creditbus.bus.editions import current_edition
from creditbus.bus.kafka import admin, translated
from creditbus.bus.metrics import Metrics
from creditbus.bus.registry import UnknownSchemaError, registry_of
from creditbus.bus.rules import rules_by_hash
from creditbus.bus.security import KafkaSecurity
from creditbus.bus.service import Service, Stopping
from creditbus.bus.wire import Types, read_value
from creditbus.core.errors import BusError, ReconnectError, RetryLaterError
from creditbus.core.framing import WireError
from creditbus.core.topics import QUALITY
from creditbus.monitor.attended import attended, leave
from creditbus.monitor.settings import MonitorSettings
from creditbus.monitor.steps import Counts, Row, State, WindowPolicy, add, adopt, begin, last_window, silence_seconds

log = structlog.get_logger()

_TYPE = "creditbus.records.QualityRow"
_SESSION_SECONDS = 6.0
_LOOK_SECONDS = 0.1
_STOP_SECONDS = 2.0
_ANSWER_SECONDS = 3.0
_EDITION_SECONDS = 10.0
"""How often the monitor looks for another edition in force."""


@dataclass(slots=True)
class Live:
    """What the stream has counted so far: written by the stream, read when Prometheus asks."""

    policy: WindowPolicy
    state: State
    edition: str = ""
    """Hash of the edition whose departments it counts."""
    trouble: BusError | None = None
    """Why the stream cannot go on."""


def main() -> int:
    """Run the monitor until told to stop."""
    settings = MonitorSettings()
    service = Service("monitor", settings.http_address)
    first = WindowPolicy(seconds=settings.monitor_window_seconds)
    live = Live(policy=first, state=begin(first, _now_ms()))

    def count(stopping: Stopping) -> None:
        require_topic(settings.brokers)
        follow(live, settings.brokers, service.metrics)
        registry = registry_of(settings)

        async def stream() -> None:
            app = build(settings, live, Types(registry), service.metrics)
            following = asyncio.create_task(follow_editions(live, settings.brokers, service.metrics))
            try:
                await run(app, live, service, stopping)
            finally:
                following.cancel()

        try:
            asyncio.run(stream())
        except BusError:
            raise
        except Exception as error:  # whatever Faust makes of a broker that dies is no reason to end
            raise ReconnectError(
                f"the stream over {QUALITY} broke ({type(error).__name__}); starting it again"
            ) from error
        finally:
            registry.close()

    def life(stopping: Stopping) -> None:
        attended(lambda: count(stopping), stopping, _STOP_SECONDS + 1)

    code = service.main(life, lambda: publish(live, service.metrics))
    leave(code)
    return code


def build(settings: MonitorSettings, live: Live, types: Types, metrics: Metrics) -> Any:
    """The Faust app, with everything off that would create topics or listen.

    The stream function decodes a row and hands it to steps.py; what cannot be read is counted and left.
    """
    live.trouble = None
    servers = settings.brokers.split(",")
    app = faust.App(
        settings.monitor_group,
        broker=[f"aiokafka://{server.strip()}" for server in servers],
        broker_credentials=credentials(KafkaSecurity()),
        value_type=bytes,
        value_serializer="raw",
        datadir=str(settings.data / "monitor"),
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        broker_session_timeout=_SESSION_SECONDS,
        broker_heartbeat_interval=_SESSION_SECONDS / 3,
        stream_wait_empty=False,
        broker_commit_interval=1.0,
        # no tables, so no assignor that places their standbys
        table_standby_replicas=0,
        # Faust reads uncommitted messages then: a batch that is aborted and repeated is counted twice
        processing_guarantee="at_least_once",
        consumer_auto_offset_reset="latest",
    )
    topic = app.topic(QUALITY, value_type=bytes, value_serializer="raw")

    async def count_rows(stream: Any) -> None:
        async for value in stream:
            try:
                row = read_row(types, value)
            except (WireError, UnknownSchemaError):
                metrics.count("creditbus_messages_decided_total", outcome="dropped", reason="unreadable")
                continue
            except RetryLaterError as error:
                live.trouble = error
                return
            live.state = add(live.state, row, live.policy, _now_ms())
            metrics.count("creditbus_messages_decided_total", outcome="ok", reason="")

    app.agent(topic, name="count-rows")(count_rows)
    return app


def credentials(security: KafkaSecurity) -> faust.SASLCredentials | faust.SSLCredentials | None:
    """How Faust proves who it is; None for PLAINTEXT. Raises SettingsError."""
    context = security.tls_context()
    if security.uses_sasl:
        return faust.SASLCredentials(
            username=security.user(),
            password=security.password(),
            ssl_context=context,
            mechanism=security.sasl_mechanism,
        )
    return None if context is None else faust.SSLCredentials(context)


async def run(app: Any, live: Live, service: Service, stopping: Stopping) -> None:
    """Keep the stream going until told to stop, or until it cannot go on; then end it, in less than five seconds."""
    await app.start()
    service.health.up()
    log.info("counting", topic=QUALITY, departments=len(live.policy.departments), window=live.policy.seconds)
    try:
        while not stopping() and live.trouble is None and not app.should_stop:
            await asyncio.sleep(_LOOK_SECONDS)
    finally:
        await end(app)
    if live.trouble is not None:
        raise live.trouble
    if not stopping():
        raise ReconnectError(f"the stream over {QUALITY} ended ({type(app.crash_reason).__name__}); starting it again")


async def end(app: Any) -> None:
    """Stop the app; one that hangs on a broker that is away is left behind (attended.py)."""
    try:
        await asyncio.wait_for(app.stop(), _STOP_SECONDS)
    except TimeoutError:
        log.warning("the stream did not end in time", seconds=_STOP_SECONDS)


def read_row(types: Types, value: bytes) -> Row:
    """A row of the topic. Raises WireError, UnknownSchemaError, or RetryLaterError when the registry is away."""
    schema, fields = read_value(types, value)
    if schema.name != _TYPE:
        raise UnknownSchemaError(f"{schema.name} is no {_TYPE}")
    counts = Counts(**{name: fields[name] for name in asdict(Counts())})
    return Row(department=fields["department"], at_ms=fields["at"], counts=counts)


async def follow_editions(live: Live, brokers: str, metrics: Metrics) -> None:
    """Count by the departments of the edition in force, whenever another one takes effect."""
    while True:
        await asyncio.sleep(_EDITION_SECONDS)
        try:
            await asyncio.to_thread(follow, live, brokers, metrics)
        except (
            BusError
        ) as error:  # the stream goes on by the edition that it has; where Kafka is away it ends by itself
            log.warning("the edition in force is not to be had", problem=str(error))


def follow(live: Live, brokers: str, metrics: Metrics) -> None:
    """Count by the departments of the edition in force. Raises RetryLaterError while there is none."""
    edition = current_edition(brokers)
    if edition == live.edition:
        return
    departments = frozenset(rules_by_hash(brokers)(edition).departments)
    gone = live.policy.departments - departments
    live.policy = WindowPolicy(seconds=live.policy.seconds, departments=departments)
    live.state, live.edition = adopt(live.state, live.policy, _now_ms()), edition
    for department in gone:
        metrics.forget("creditbus_department_events", department=department)
        metrics.forget("creditbus_department_silence_seconds", department=department)
    log.info("edition", edition=edition, departments=len(departments))


def require_topic(brokers: str) -> None:
    """Faust creates no topic here, so it must be there. Raises RetryLaterError that names the remedy."""
    with translated(f"looking for {QUALITY}"):
        found = admin(brokers).list_topics(QUALITY, timeout=_ANSWER_SECONDS).topics[QUALITY]
    if found.error is not None:
        raise RetryLaterError(f"{QUALITY} is missing: create the topics of deploy/topics.yaml (`creditbus up` does it)")


def publish(live: Live, metrics: Metrics) -> None:
    """Bring the gauges up to date."""
    now_ms = _now_ms()
    for department, counts in last_window(live.state, live.policy, now_ms).items():
        for what, number in asdict(counts).items():
            metrics.set("creditbus_department_events", number, department=department, what=what)
    for department, seconds in silence_seconds(live.state, now_ms).items():
        metrics.set("creditbus_department_silence_seconds", seconds, department=department)


def _now_ms() -> int:
    return int(time.time() * 1000)
