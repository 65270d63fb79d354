"""One of three brokers dies, then the next: topics stay, the loop goes on, nothing is lost and nothing comes twice."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import ConfigResource  # type: ignore[attr-defined]

from broker_cluster import Cluster, three_brokers
from counting_job import Job
from creditbus.bus.kafka import admin
from creditbus.bus.topics import differences, ensure_topics, load_topics
from creditbus.core.errors import ReconnectError, SettingsError
from creditbus.core.topics import RECORDS
from creditbus.lab.artifacts import Artifacts
from waiting import wait_until

pytestmark = [pytest.mark.chaos, pytest.mark.integration, pytest.mark.timeout(900)]
IS_LONG = os.environ.get("CREDITBUS_TEST_PROFILE") == "exhaustive"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, lab_artifacts: Artifacts) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("cluster")
    with pytest.MonkeyPatch.context() as monkeypatch, three_brokers(folder, lab_artifacts, monkeypatch) as made:
        yield made


def test_topics_have_three_replicas_where_there_are_three_brokers(cluster: Cluster) -> None:
    topics = [topic for topic in load_topics() if topic.name.startswith(RECORDS)]
    assert ensure_topics(cluster.brokers, topics)
    client = admin(cluster.brokers)
    resource = ConfigResource(ConfigResource.Type.TOPIC, RECORDS)

    def least() -> str | None:
        try:
            return str(client.describe_configs([resource])[resource].result()["min.insync.replicas"].value)
        except KafkaException:  # a broker that does not know the new topic yet
            return None

    wait_until("every message to need two brokers", lambda: least() == "2")

    def as_wanted() -> bool:
        found = client.list_topics(timeout=10).topics
        places = [one for topic in topics if topic.name in found for one in found[topic.name].partitions.values()]
        return len(places) == sum(topic.partitions for topic in topics) and {len(one.replicas) for one in places} == {3}

    wait_until("three replicas of each", as_wanted)

    def told(replicas: int) -> list[str]:
        try:
            return list(differences(cluster.brokers, topics, replicas))
        except ReconnectError as error:  # as above
            return [str(error)]

    wait_until("nothing to tell", lambda: told(0) == [])
    wait_until("what is too few", lambda: f"{RECORDS}: 3 replicas, 4 wanted" in told(4)[0])
    with pytest.raises(SettingsError, match="CREDITBUS_REPLICATION.*4.*3 brokers"):
        ensure_topics(cluster.brokers, load_topics(), replicas=4)


def test_the_loop_goes_on_when_brokers_die_one_after_the_other(
    cluster: Cluster, unique_name: Callable[[str], str], tmp_path: Path
) -> None:
    seed = int(os.environ.get("CREDITBUS_TEST_SEED", random.SystemRandom().randrange(1_000_000)))
    print(f"seed {seed}: CREDITBUS_TEST_SEED={seed} runs this again")
    chance = random.Random(seed)
    victims = (
        [chance.choice(list(cluster.nodes)) for _ in range(20)] if IS_LONG else chance.sample(list(cluster.nodes), 3)
    )
    job = Job(cluster.brokers, unique_name("chaos"), tmp_path)
    is_over = threading.Event()

    def supervise() -> None:
        while not is_over.wait(0.2):
            if 0 not in job.workers or job.workers[0].poll() is not None:
                job.start()

    supervisor = threading.Thread(target=supervise)
    try:
        supervisor.start()
        sending = job.sending(8_000 * len(victims), rate=1_000)
        for victim in victims:
            time.sleep(chance.uniform(0.5, 2.0))  # the moment of a crash is chance, not a condition to wait for
            cluster.kill(victim)
            time.sleep(chance.uniform(0.5, 4.0))
            cluster.start(victim)
            cluster.wait_in_sync()
        sending.join()
        assert job.wrongs(seconds=120) == []
    finally:
        is_over.set()
        supervisor.join()
        job.close()
