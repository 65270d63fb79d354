"""Every reader of alerts gets each alert of the log once, however slow it is and however often it breaks off."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import aclosing
from typing import Any

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from creditbus.bus.kafka import producer_config, transactional_producer
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.wire import Types, Writers
from creditbus.core.records import Alert
from creditbus.lab.sandbox import MemoryRegistry
from creditbus.lookup import feed as feed_module
from creditbus.lookup.feed import AlertFeed, Told
from running_lab import RUBBISH
from topic_maker import make_topic

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]
PARTITIONS = 2
BEGINNING: Mapping[int, int] = {0: 0, 1: 0}


class Log:
    """``credit.alerts`` of a test."""

    def __init__(self, brokers: str, name: str) -> None:
        self.brokers, self.name = brokers, name
        registry = MemoryRegistry()
        self.types = Types(registry)
        self._writer = Writers(registry, SchemaSet.load())(name, "Alert")
        self._producer = Producer(producer_config(brokers))
        make_topic(brokers, name, PARTITIONS)

    def value(self, number: int, kind: str = "DISHONEST_SUBJECT") -> bytes:
        alert = Alert(
            alert_id=str(number), kind=kind, subject_key=f"Y{number}", subject_kind="LEGAL_PERSON", subject_name="虚构",
            identifier="", region="150100", lists=[], record_id="", cause_id="", at=number, fictitious=True, text_zh="",
            text_en="",
        )  # fmt: skip
        return self._writer.of_struct(alert)

    def tell(self, *numbers: int, kind: str = "DISHONEST_SUBJECT") -> None:
        """Alerts with these numbers; each stands in the partition of its number."""
        self.write(*((number, self.value(number, kind)) for number in numbers))

    def write(self, *values: tuple[int, bytes]) -> None:
        for number, value in values:
            self._producer.produce(self.name, value, None, number % PARTITIONS)
        assert self._producer.flush(30) == 0


@pytest.fixture
def log(kafka_brokers: str, unique_name: Callable[[str], str]) -> Log:
    return Log(kafka_brokers, unique_name("alerts"))


@pytest.fixture
def open_feed(log: Log) -> Iterator[Callable[[], AlertFeed]]:
    """Makes a feed that ends with the test."""
    opened: list[AlertFeed] = []

    def make() -> AlertFeed:
        opened.append(AlertFeed(log.brokers, log.types, log.name))
        return opened[-1]

    yield make
    for feed in opened:
        feed.close()


async def told_by(stream: AsyncIterator[Told], count: int) -> list[Told]:
    """The next alerts, each with the position as it was then; what only tells a position is left out."""
    found: list[Told] = []
    async for told in stream:
        if told.alert is not None or told.is_gap:
            found.append(Told(dict(told.position), told.alert, told.is_gap))
        if len(found) == count:
            break
    return found


def numbers(told: list[Told]) -> list[int]:
    return [int(one.alert["alert_id"]) for one in told if one.alert is not None]


def every(_alert: dict[str, Any]) -> bool:
    return True


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 120))


def test_a_reader_gets_what_comes_and_after_a_break_what_came_meanwhile(
    log: Log, open_feed: Callable[[], AlertFeed]
) -> None:
    log.tell(0, 1, 2)

    async def follow() -> None:
        feed = open_feed()
        async with aclosing(feed.alerts(None, every)) as stream:
            following = asyncio.ensure_future(told_by(stream, 2))
            await asyncio.sleep(0.2)
            await asyncio.to_thread(log.tell, 3, 4)
            first = await following
        assert sorted(numbers(first)) == [3, 4], "from now on"
        await asyncio.to_thread(log.tell, 5, 6, 7)
        async with aclosing(feed.alerts(first[-1].position, every)) as stream:
            assert sorted(numbers(await told_by(stream, 3))) == [5, 6, 7]
            await asyncio.to_thread(log.tell, 8)
            assert numbers(await told_by(stream, 1)) == [8]

    run(follow())


def test_a_slow_reader_is_read_to_from_the_log(
    log: Log, open_feed: Callable[[], AlertFeed], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "_WAITING", 3)
    monkeypatch.setattr(feed_module, "_BATCH", 7)

    async def follow() -> None:
        async with aclosing(open_feed().alerts(BEGINNING, every)) as stream:
            await asyncio.to_thread(log.tell, 0)
            assert numbers(await told_by(stream, 1)) == [0]
            await asyncio.to_thread(log.tell, *range(1, 60))
            await asyncio.sleep(1)  # all of it is offered while nobody reads
            found = numbers(await told_by(stream, 59))
            assert sorted(found) == list(range(1, 60))
            assert [one for one in found if one % 2] == list(range(1, 60, 2)), "in the order of a partition"
            await asyncio.to_thread(log.tell, 60)
            assert numbers(await told_by(stream, 1)) == [60]

    run(follow())


def test_breaks_at_any_moment_lose_and_double_nothing(
    log: Log, open_feed: Callable[[], AlertFeed], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "_WAITING", 20)
    chance = random.Random(7)
    total = 2_000

    async def follow() -> None:
        feed = open_feed()
        found: list[int] = []
        position: Mapping[int, int] = BEGINNING

        async def write() -> None:
            for start in range(0, total, 40):
                await asyncio.to_thread(log.tell, *range(start, start + 40))

        writing = asyncio.ensure_future(write())
        while len(found) < total:
            async with aclosing(feed.alerts(position, every)) as stream:
                told = await told_by(stream, min(chance.randrange(1, 300), total - len(found)))
            found += numbers(told)
            position = told[-1].position
        await writing
        for parity in (0, 1):
            assert [one for one in found if one % 2 == parity] == list(range(parity, total, 2))

    run(follow())


def test_what_is_gone_from_the_log_is_told_of(log: Log, open_feed: Callable[[], AlertFeed]) -> None:
    log.tell(*range(6))
    admin = AdminClient({"bootstrap.servers": log.brokers})
    for future in admin.delete_records([TopicPartition(log.name, 0, 2)]).values():
        future.result()

    async def follow() -> None:
        async with aclosing(open_feed().alerts({0: 1, 1: 0}, every)) as stream:
            told = await told_by(stream, 5)
        assert [one.is_gap for one in told] == [True, False, False, False, False]
        assert sorted(numbers(told)) == [1, 3, 4, 5]

    run(follow())


def test_what_is_committed_only_after_the_feed_began_is_not_missed(
    log: Log, open_feed: Callable[[], AlertFeed]
) -> None:
    log.tell(0)
    producer = transactional_producer(log.brokers, log.name)
    producer.begin_transaction()
    producer.produce(log.name, log.value(2), None, 0)
    producer.flush(20)
    log.tell(4)  # behind what is still open: nobody sees it before

    async def follow() -> None:
        async with aclosing(open_feed().alerts(None, every)) as stream:
            following = asyncio.ensure_future(told_by(stream, 2))
            await asyncio.sleep(0.2)
            await asyncio.to_thread(producer.commit_transaction, 20)
            assert numbers(await following) == [2, 4]

    run(follow())


def test_only_what_is_wanted_is_told_and_the_position_moves_on_with_the_rest(
    log: Log, open_feed: Callable[[], AlertFeed]
) -> None:
    async def follow() -> None:
        stream = open_feed().alerts(BEGINNING, lambda alert: alert["kind"] == "CLEARED_SUBJECT")
        async with aclosing(stream):
            await asyncio.to_thread(log.tell, 0, 2, 4)
            await asyncio.to_thread(log.write, (6, RUBBISH), (8, log.value(8, "CLEARED_SUBJECT")))
            (told,) = await told_by(stream, 1)
            assert numbers([told]) == [8]
            assert told.position == {0: 5, 1: 0}
            await asyncio.to_thread(log.tell, 10)
            async for told in stream:
                assert told.alert is None
                if told.position == {0: 6, 1: 0}:
                    break

    run(follow())


def test_a_time_leads_to_the_first_alert_that_was_written_then_or_later(
    log: Log, open_feed: Callable[[], AlertFeed]
) -> None:
    log.tell(0, 2)
    feed = open_feed()

    async def look() -> None:
        assert await feed.since(0) == {0: 0, 1: 0}
        assert await feed.since(4_000_000_000_000) == {0: 2, 1: 0}, "a time to come: the end"

    run(look())
