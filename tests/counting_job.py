"""A stateful job on a real Kafka whose workers can be killed, with a ledger of what was sent and an oracle."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from dataclasses import asdict, replace
from pathlib import Path

from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from counting_worker import Settings
from creditbus.bus.changelog import SOURCE_KEY, changes_of
from creditbus.bus.kafka import consumer_config, end_offset, producer_config

PARTITIONS = 4
KEYS = 300
_WORKER = Path(__file__).parent / "counting_worker.py"


class Job:
    """Topics, workers and ledger of one test."""

    def __init__(self, brokers: str, name: str, folder: Path) -> None:
        self.settings = Settings(
            brokers=brokers,
            group=name,
            slot=0,
            source=f"{name}-in",
            output=f"{name}-out",
            changelog=f"{name}-log",
            folder=str(folder),
        )
        self.folder = folder
        self.workers: dict[int, subprocess.Popen[bytes]] = {}
        self.sent = 0
        topics = [NewTopic(topic, PARTITIONS, -1) for topic in (self.settings.source, self.settings.output)]
        compacted = {"cleanup.policy": "compact"}
        topics.append(NewTopic(self.settings.changelog, PARTITIONS, -1, config=compacted))
        admin = AdminClient({"bootstrap.servers": brokers})  # kept: its futures fail when it is collected
        for future in admin.create_topics(topics).values():
            future.result()

    # -- workers -----------------------------------------------------------------------------------------

    def start(self, slot: int = 0, **changes: object) -> subprocess.Popen[bytes]:
        """Start the worker of a slot."""
        settings = replace(self.settings, slot=slot, **changes)  # type: ignore[arg-type]
        services = Path(__file__).parents[2] / "services"
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(services), str(_WORKER.parent)])}
        log = (self.folder / f"worker-{slot}.log").open("ab")
        command = [sys.executable, str(_WORKER), json.dumps(asdict(settings))]
        with log:
            worker = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        self.workers[slot] = worker
        return worker

    def kill(self, slot: int, number: int = signal.SIGKILL) -> None:
        """End a worker, by default as a crash would, and wait for its end."""
        self.workers[slot].send_signal(number)
        self.workers[slot].wait(30)

    def told(self, slot: int = 0) -> str:
        """What the worker of a slot has said so far."""
        return (self.folder / f"worker-{slot}.log").read_text()

    def close(self) -> None:
        """No worker outlives its test."""
        for worker in self.workers.values():
            worker.send_signal(signal.SIGCONT)
            worker.kill()
            worker.wait(30)

    # -- the ledger --------------------------------------------------------------------------------------

    def send(self, count: int, rate: float = 0) -> None:
        """Put messages in, at most ``rate`` a second; every message is acknowledged when this returns."""
        producer = Producer(producer_config(self.settings.brokers))
        began = time.monotonic()
        for number in range(self.sent, self.sent + count):
            producer.produce(self.settings.source, str(number).encode(), f"k{number % KEYS}".encode())
            if rate and number % 50 == 0:
                producer.poll(0)
                time.sleep(max(0.0, (number - self.sent) / rate - (time.monotonic() - began)))
        assert producer.flush(60) == 0
        self.sent += count

    def sending(self, count: int, rate: float) -> threading.Thread:
        """The same in a thread of its own."""
        thread = threading.Thread(target=self.send, args=(count, rate))
        thread.start()
        return thread

    # -- the oracle --------------------------------------------------------------------------------------

    def results(self, seconds: float) -> dict[int, list[tuple[bytes, bytes]]]:
        """Committed (key, value) of the output by partition, read until all have come and no more do."""
        consumer = Consumer(consumer_config(self.settings.brokers, "oracle"))
        consumer.assign([TopicPartition(self.settings.output, number, 0) for number in range(PARTITIONS)])
        found: dict[int, list[tuple[bytes, bytes]]] = defaultdict(list)
        total, quiet, deadline = 0, 0, time.monotonic() + seconds
        while quiet < 4 and time.monotonic() < deadline:
            messages = consumer.consume(5_000, 0.5)
            quiet = 0 if messages or total < self.sent else quiet + 1
            for message in messages:
                found[message.partition() or 0].append((message.key() or b"", message.value() or b""))
            total += len(messages)
        consumer.close()
        return found

    def state(self) -> dict[bytes, int]:
        """Counts as the changelog holds them, once no transaction is open on it."""
        brokers, changelog = self.settings.brokers, self.settings.changelog
        left = {number: end_offset(brokers, changelog, number) for number in range(PARTITIONS)}
        consumer = Consumer(consumer_config(brokers, "oracle", enable_partition_eof=True))
        consumer.assign([TopicPartition(changelog, number, 0) for number in left])
        counts: dict[bytes, int] = {}
        while left:
            for message in consumer.consume(5_000, 0.5):
                error = message.error()
                if error is not None:
                    assert error.code() == KafkaError._PARTITION_EOF
                    if (message.offset() or 0) >= left.get(message.partition() or 0, 0):
                        left.pop(message.partition() or 0, None)
                elif message.key() != SOURCE_KEY:
                    changes = changes_of(message.key() or b"", message.value())
                    counts.update((key, int(value or b"0")) for key, value in changes)
        consumer.close()
        return counts

    def wrongs(self, seconds: float = 60) -> list[str]:
        """What is wrong with the results: lost, doubled, out of order, miscounted; empty when all is right.

        seconds: how long to wait for results that do not come.
        """
        results = self.results(seconds)
        values = Counter(value.split(b":")[0] for rows in results.values() for _, value in rows)
        expected = {str(number).encode() for number in range(self.sent)}
        wrong = [f"{number.decode()} lost" for number in sorted(expected - set(values))[:5]]
        wrong += [f"{number.decode()} came {times} times" for number, times in values.items() if times > 1][:5]
        for rows in results.values():
            last: dict[bytes, int] = {}
            for key, value in rows:
                count = int(value.split(b":")[1])
                if count != last.get(key, 0) + 1:
                    wrong.append(f"{key.decode()}: count {count} after {last.get(key, 0)}")
                last[key] = count
        reference = Counter(f"k{number % KEYS}".encode() for number in range(self.sent))
        if self.state() != dict(reference):
            wrong.append("the state differs from the reference")
        return wrong[:10]
