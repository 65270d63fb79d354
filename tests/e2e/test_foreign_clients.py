"""Topics read with clients that were not written here: Java's console consumer, kcat, Apache Avro."""

from __future__ import annotations

import io
import shutil
import subprocess
from typing import Any

import avro.io
import avro.schema
import httpx
import pytest
from confluent_kafka import Consumer, KafkaError, TopicPartition

from creditbus.bus.topics import load_topics
from creditbus.lab.artifacts import Artifacts
from running_lab import RUBBISH, RunningLab

pytestmark = [pytest.mark.e2e, pytest.mark.integration, pytest.mark.timeout(600)]
TOPICS = [topic.name for topic in load_topics() if topic.records]
SAID = ("credit.records", "credit.rejections", "credit.listings", "credit.measures.M01", "credit.alerts",
        "credit.changes", "credit.dossiers", "credit.access", "credit.quality")  # fmt: skip
"""Topics on which the scenario leaves something."""


def messages_of(brokers: str, topic: str) -> list[Any]:
    """Every committed message, read with the plain client."""
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": "stranger", "enable.partition.eof": True})
    partitions = consumer.list_topics(topic, timeout=15).topics[topic].partitions
    consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
    found, ended = [], 0
    while ended < len(partitions):
        message = consumer.poll(10)
        assert message is not None
        error = message.error()
        if error is None:
            found.append(message)
        else:
            assert error.code() == KafkaError._PARTITION_EOF
            ended += 1
    consumer.close()
    return found


def test_apache_avro_reads_the_content_of_every_topic(running_lab: RunningLab) -> None:
    running_lab.any_cleared_firm()
    brokers = f"127.0.0.1:{running_lab.port('kafka')}"
    url = f"http://127.0.0.1:{running_lab.port('registry')}/apis/ccompat/v7"
    readers: dict[int, avro.io.DatumReader] = {}
    for topic in TOPICS:
        messages = [one for one in messages_of(brokers, topic) if one.value() and RUBBISH not in one.value()]
        assert messages or topic not in SAID, topic
        for message in messages[-200:]:
            frame, payload = message.value()[:5], io.BytesIO(message.value()[5:])
            schema_id = int.from_bytes(frame[1:], "big")
            if schema_id not in readers:
                text = httpx.get(f"{url}/schemas/ids/{schema_id}").json()["schema"]
                readers[schema_id] = avro.io.DatumReader(avro.schema.parse(text))
            assert isinstance(readers[schema_id].read(avro.io.BinaryDecoder(payload)), dict), topic
            assert not payload.read(), topic


def test_the_java_console_consumer_reads_as_many_messages(running_lab: RunningLab, lab_artifacts: Artifacts) -> None:
    running_lab.any_cleared_firm()
    brokers = f"127.0.0.1:{running_lab.port('kafka')}"
    expected = len(messages_of(brokers, "credit.listings"))
    command = [
        str(lab_artifacts.java), "-cp", lab_artifacts.kafka_classpath,
        "org.apache.kafka.tools.consumer.ConsoleConsumer",
        "--bootstrap-server", brokers, "--topic", "credit.listings", "--from-beginning",
        "--isolation-level", "read_committed", "--max-messages", str(expected), "--timeout-ms", "30000",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, timeout=120, check=False)
    assert f"Processed a total of {expected} messages" in done.stderr.decode()


@pytest.mark.skipif(shutil.which("kcat") is None, reason="kcat is missing: apt-get install kcat")
def test_kcat_reads_keys_and_sizes(running_lab: RunningLab) -> None:
    running_lab.any_cleared_firm()
    brokers = f"127.0.0.1:{running_lab.port('kafka')}"
    command = ["kcat", "-b", brokers, "-C", "-t", "credit.alerts", "-o", "beginning", "-e", "-q", "-f", "%k %S\\n"]
    lines = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.splitlines()
    assert len(lines) == len(messages_of(brokers, "credit.alerts"))
    assert all(int(line.split()[1]) > 5 for line in lines)
