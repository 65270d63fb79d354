"""The topics of ``deploy/topics.yaml``: loaded, expanded, created and checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from confluent_kafka.admin import ConfigResource, NewTopic  # type: ignore[attr-defined]
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from creditbus.bus.kafka import admin, translated
from creditbus.bus.schemas import Schema, SchemaSet, deploy_file
from creditbus.catalogue.yamltext import parse_yaml
from creditbus.core.acknowledgement import is_incentive
from creditbus.core.errors import SettingsError
from creditbus.core.events import PERSON_KINDS
from creditbus.core.topics import LOCAL_RECORDS, PERSON_SUFFIX

_DAY_MS = 86_400_000
_REPLICAS = 3
"""Of each topic, where there are brokers enough."""
_MEASURES, _INCENTIVES = "credit.measures", "credit.incentives"


class Topic(BaseModel):
    """One row of the file, and after expansion one topic."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    twin: bool = False
    zh: str
    en: str
    key: str
    partitions: int = Field(ge=1, le=1024)
    days: int = Field(ge=-1)
    records: tuple[str, ...]
    written_by: tuple[str, ...]
    read_by: tuple[str, ...]
    config: Mapping[str, str] = {}

    @property
    def settings(self) -> dict[str, str]:
        """The topic's configuration as Kafka has it."""
        if self.days == 0:
            kept = {"cleanup.policy": "compact"}
        else:
            kept = {"cleanup.policy": "delete", "retention.ms": str(-1 if self.days < 0 else self.days * _DAY_MS)}
        return {**kept, **self.config}


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    domains: tuple[str, ...]
    families: tuple[str, ...]
    topics: tuple[Topic, ...]


def load_topics(path: Path | None = None, regions: Sequence[str] = ()) -> tuple[Topic, ...]:
    """Every topic by its own name, expanded. Raises SettingsError that names row, field and problem.

    regions: those whose records the hub merges, by the names that the mirror gives them.
    """
    source = path or deploy_file("topics.yaml")
    try:
        content = _File.model_validate(parse_yaml(source.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SettingsError(f"{source.name}: {where}: {first['msg']}; see the head of the file for its keys") from error
    return tuple(_expanded(content, regions))


def mirrored_records(region: str) -> str:
    """Topic on which the hub has the records of a region, as MirrorMaker 2 names it."""
    return f"{region}.{LOCAL_RECORDS}"


def merge_changelog(region: str) -> str:
    """Topic with what merge remembers of a region."""
    return f"{region}.credit.changelog.merge"


def topic_of_family(family: str) -> str:
    """Topic of a family: each family of measures has one of its own, incentives (I01 to I08) share one."""
    return _INCENTIVES if is_incentive(family) else f"{_MEASURES}.{family}"


def topic_for(name: str, subject_kind: str) -> str:
    """The topic itself, or its twin with restricted rights for natural persons and sole traders."""
    return f"{name}{PERSON_SUFFIX}" if subject_kind in PERSON_KINDS else name


def schemas_of(topics: Sequence[Topic], schemas: SchemaSet) -> list[tuple[str, Schema]]:
    """Every (topic, schema) to be registered. Raises SettingsError for a type that the contract lacks."""
    pairs = []
    for topic in topics:
        for name in topic.records:
            schema = schemas.by_full_name(name)
            if schema is None:
                raise SettingsError(f"topics.yaml: {topic.name}: {name} is no type of schemas/avro")
            pairs.append((topic.name, schema))
    return pairs


def ensure_topics(brokers: str, topics: Sequence[Topic], replicas: int = 0) -> list[str]:
    """Create what is missing; returns the names created.

    replicas: of each topic; 0 takes three, or as many as there are brokers. With three, a message counts when two have
    it: one broker may be lost.
    Raises SettingsError when a topic exists with another number of partitions, which cannot be mended in place, or
    there are too few brokers.
    """
    client = admin(brokers)
    with translated("listing topics"):
        found = client.list_topics(timeout=15)
    for topic in topics:
        known = found.topics.get(topic.name)
        if known is not None and len(known.partitions) != topic.partitions:
            raise SettingsError(
                f"{topic.name} has {len(known.partitions)} partitions, topics.yaml says {topic.partitions}: "
                "a change needs a new generation of topics by replay"
            )
    if replicas > len(found.brokers):
        raise SettingsError(f"CREDITBUS_REPLICATION is {replicas}, and the cluster has {len(found.brokers)} brokers")
    number = replicas or min(_REPLICAS, len(found.brokers))
    missing = [topic for topic in topics if topic.name not in found.topics]
    new = [NewTopic(t.name, t.partitions, number, config=_settings(t, number)) for t in missing]
    with translated("creating topics"):
        for future in client.create_topics(new, request_timeout=60).values() if new else ():
            future.result()
    return [topic.name for topic in missing]


def differences(brokers: str, topics: Sequence[Topic], replicas: int = 0) -> Iterator[str]:
    """One line for each setting of a topic that is there and unlike what ``ensure_topics`` makes, with the remedy."""
    client = admin(brokers)
    with translated("reading topic settings"):
        found = client.list_topics(timeout=15)
        number = replicas or min(_REPLICAS, len(found.brokers))
        there = [topic for topic in topics if topic.name in found.topics]
        resources = [ConfigResource(ConfigResource.Type.TOPIC, topic.name) for topic in there]
        answers = client.describe_configs(resources, request_timeout=30) if there else {}
        for topic, resource in zip(there, resources, strict=True):
            fewest = min(len(one.replicas) for one in found.topics[topic.name].partitions.values())
            if fewest < number:
                yield f"{topic.name}: {fewest} replicas, {number} wanted; kafka-reassign-partitions adds them"
            actual = answers[resource].result()
            for name, wanted in _settings(topic, number).items():
                if actual[name].value != wanted:
                    yield f"{topic.name}: {name} is {actual[name].value}, {wanted} wanted; kafka-configs sets it"


def _settings(topic: Topic, replicas: int) -> dict[str, str]:
    """The topic's configuration. With so many replicas a message counts when all but one have it."""
    return {**({"min.insync.replicas": str(replicas - 1)} if replicas >= _REPLICAS else {}), **topic.settings}


def _expanded(content: _File, regions: Sequence[str]) -> Iterator[Topic]:
    for row in content.topics:
        for topic in _one_each(row, content, regions):
            yield topic.model_copy(update={"twin": False})
            if row.twin:
                yield topic.model_copy(
                    update={
                        "name": topic.name + PERSON_SUFFIX,
                        "twin": False,
                        "zh": f"{topic.zh}（自然人）",
                        "en": f"{topic.en} (natural persons)",
                    }
                )


def _one_each(row: Topic, content: _File, regions: Sequence[str]) -> Iterator[Topic]:
    for mark, names in (("<domain>", content.domains), ("<family>", content.families), ("<region>", regions)):
        if mark in row.name:
            for name in names:
                yield row.model_copy(update={"name": row.name.replace(mark, name)})
            return
    yield row
