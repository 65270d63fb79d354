"""The lab's Kafka and registry do what the bus relies on: transactions, and FULL_TRANSITIVE compatibility."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from creditbus.lab import kafka
from creditbus.lab.artifacts import Artifacts

pytestmark = pytest.mark.integration


PLAIN: dict[str, object] = {"name": "a", "type": "string"}


def avro_record(*fields: dict[str, object]) -> dict[str, str]:
    return {"schema": json.dumps({"type": "record", "name": "Probe", "fields": list(fields)})}


def test_a_reader_of_committed_records_sees_one_transaction_and_not_the_aborted_one(
    kafka_brokers: str, unique_name: Callable[[str], str]
) -> None:
    topic = unique_name("transactions")
    admin = AdminClient({"bootstrap.servers": kafka_brokers})
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(30)
    producer = Producer({"bootstrap.servers": kafka_brokers, "transactional.id": unique_name("writer")})
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(topic, value=b"aborted")
    producer.flush(30)
    producer.abort_transaction(30)
    producer.begin_transaction()
    producer.produce(topic, value=b"committed")
    producer.commit_transaction(30)

    consumer = Consumer(
        {
            "bootstrap.servers": kafka_brokers,
            "group.id": unique_name("reader"),
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
        }
    )
    consumer.subscribe([topic])
    message = consumer.poll(30)
    consumer.close()

    assert message is not None
    assert message.error() is None
    assert message.value() == b"committed"


def test_a_new_field_without_a_default_is_refused_under_full_transitive(
    registry_url: str, unique_name: Callable[[str], str]
) -> None:
    subject = unique_name("Probe")
    with httpx.Client(base_url=registry_url, timeout=30, trust_env=False) as registry:
        first = registry.post(f"/subjects/{subject}/versions", json=avro_record(PLAIN))
        registry.put(f"/config/{subject}", json={"compatibility": "FULL_TRANSITIVE"}).raise_for_status()
        refused = registry.post(f"/subjects/{subject}/versions", json=avro_record(PLAIN, {"name": "b", "type": "int"}))
        accepted = registry.post(
            f"/subjects/{subject}/versions", json=avro_record(PLAIN, {"name": "b", "type": "int", "default": 0})
        )
        by_id = registry.get(f"/schemas/ids/{accepted.json()['id']}")

    assert refused.status_code == 409
    assert accepted.json()["id"] != first.json()["id"]
    assert '"default":0' in by_id.json()["schema"].replace(" ", "")


def test_a_folder_whose_cluster_id_begins_with_a_hyphen_can_be_formatted(
    lab_artifacts: Artifacts, tmp_path: Path
) -> None:
    nodes = (kafka.KafkaNode(folder=tmp_path / str(n), port=19092, controller_port=19093) for n in range(10_000))
    node = next(node for node in nodes if kafka.cluster_id(node).startswith("-"))
    kafka.prepare(node, lab_artifacts)
    assert (node.log_folder / "meta.properties").exists()
