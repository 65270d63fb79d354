"""The dossiers' state is meddled with, then lost; `creditbus rebuild` makes it from the log, on a lab of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple, cast

import msgspec
import pytest
from confluent_kafka import TopicPartition

from creditbus.bus.changelog import SOURCE_KEY, changes_of, messages_of
from creditbus.bus.kafka import admin, transactional_producer
from creditbus.bus.reading import read_to_end
from creditbus.bus.registry import Registry
from creditbus.bus.wire import Types
from creditbus.core.errors import ReconnectError
from creditbus.core.state import ListingState, Row, Summary
from creditbus.core.topics import CHANGES, DOSSIER_CHANGELOG, LISTINGS, RECORDS
from creditbus.dossier.app import GROUP
from creditbus.lab import seat
from creditbus.lab.errors import AtWorkError
from creditbus.lab.reading import read_values
from creditbus.lab.rebuilding import Plan, Rebuilding
from creditbus.lab.replay import Place
from creditbus.lab.seat import only_member
from creditbus.lab.snapshot import Snapshot, read_snapshots
from running_lab import RunningLab, lab_running
from waiting import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]
STRAY = Row("9" * 32, 1, "8" * 32, "Penalty", "ACTIVE")
ANYTHING = msgspec.msgpack.Encoder().encode


def summary_of(value: bytes) -> Summary:
    return msgspec.msgpack.decode(value, type=Summary)


class Fallen(NamedTuple):
    """A place that somebody else has by now."""

    committed: Mapping[int, int]
    member: Any


class Stopped:
    """A lab without a dossier, after one worked."""

    def __init__(self, lab: RunningLab) -> None:
        self.lab = lab
        self.brokers = f"127.0.0.1:{lab.port('kafka')}"
        self.registry_url = f"http://127.0.0.1:{lab.port('registry')}/apis/ccompat/v7"

    def told(self, topic: str) -> list[dict[str, Any]]:
        """Everything on a topic."""
        found: list[dict[str, Any]] = []
        with closing(Registry(self.registry_url)) as registry:
            read_values(self.brokers, topic, Types(registry), lambda _, value: found.append(value))
        return found

    def orders(self, families: Iterable[str]) -> list[dict[str, Any]]:
        """What subscribers of these measures were told about organisations."""
        return [one for family in sorted(families) for one in self.told(f"credit.measures.{family}")]

    @contextmanager
    def dossier(self) -> Iterator[Iterable[str]]:
        """The lines of the log of a dossier that works meanwhile."""
        environment = {**self.lab.environment, "CREDITBUS_BROKERS": self.brokers, "CREDITBUS_HTTP_PORT": "0"}
        environment |= {"CREDITBUS_REGISTRY_URL": self.registry_url, "CREDITBUS_DATA": str(self.lab.folder / "other")}
        command = [sys.executable, "-m", "creditbus.dossier"]
        with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr
            try:
                yield process.stderr
            finally:
                process.terminate()


def firms(snapshot: Snapshot) -> dict[bytes, Summary]:
    found = {key: summary_of(value) for key, value in snapshot.values.items() if key.startswith(b"s")}
    return {key: one for key, one in found.items() if one.kind == "LEGAL_PERSON"}


def a_listed_firm(brokers: str) -> tuple[int, bytes] | None:
    """Partition and key of a firm with orders, which are about it."""
    for partition, snapshot in read_snapshots(brokers).items():
        for key, firm in firms(snapshot).items():
            if any(listing.orders for listing in firm.in_force):
                return partition, key
    return None


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stopped]:
    with lab_running(tmp_path_factory.mktemp("rebuilt") / "lab", "--services", "gateway,intake,clock") as lab:
        found = Stopped(lab)
        lab.creditbus("simulate", "--events", "600", "--days", "100")
        with found.dossier():
            wait_until("a firm to be listed", lambda: a_listed_firm(found.brokers) is not None, 60)
        yield found


def write(brokers: str, partition: int, changes: dict[bytes, bytes | None], fresh: frozenset[bytes]) -> None:
    """Somebody meddles with the changelog."""
    producer = transactional_producer(brokers, "creditbus-meddling")
    producer.begin_transaction()
    for key, value in messages_of(changes, fresh):
        producer.produce(DOSSIER_CHANGELOG, value, key, partition)
    producer.commit_transaction(10)


def renamed(listing: ListingState) -> ListingState:
    """The same listing and orders under ids that nobody knows."""
    copy = msgspec.msgpack.decode(ANYTHING(listing), type=ListingState)
    copy.listing_id = "f" * 32
    for number, order in enumerate(copy.orders):
        order.order_id = f"{number:032}"
    return copy


def test_a_state_that_is_wrong_is_put_right_and_so_is_what_it_told(stopped: Stopped, tmp_path: Path) -> None:
    found = a_listed_firm(stopped.brokers)
    assert found
    partition, listed = found
    snapshot = read_snapshots(stopped.brokers)[partition]
    known = firms(snapshot)
    other = next(key for key, firm in known.items() if not firm.listings and not firm.redirect)
    listings = known[listed].listings
    due = {one.listing_id: {order.order_id for order in one.orders} for one in known[listed].in_force}
    known[listed].listings, known[other].listings = [], [renamed(one) for one in known[listed].in_force[:1]]
    stray = b"n" + other[1:] + b"\x00" + b"\x11" * 16
    rows = [key for key in snapshot.values if key.startswith(b"n")][:3]
    bundle = {stray: ANYTHING(STRAY), **{key: snapshot.values[key] for key in rows}}
    lost = next(key for key in snapshot.values if key.startswith(b"e"))
    wrong = {listed: ANYTHING(known[listed]), other: ANYTHING(known[other]), lost: None}
    write(stopped.brokers, partition, {**wrong, **bundle}, frozenset(bundle))

    families = {order.family for listing in listings for order in listing.orders}
    lab = stopped.lab
    assert "creditbus rebuild" in lab.creditbus("replay", "--into", str(tmp_path / "found"), expect=1)
    assert "Aborted" in lab.creditbus("rebuild", "--into", str(tmp_path / "not"), expect=1), "nobody said yes"
    assert not [one for one in stopped.told(CHANGES) if one["cause"] == "REBUILT"]
    told = lab.creditbus("rebuild", "--into", str(tmp_path / "first"), "--yes")
    assert "rebuilt" in told
    assert all(word in told for word in ("LIFT", "REMOVED", listed[1:].decode(), other[1:].decode()))

    rebuilt = [one for one in stopped.orders(families) if one["cause"] == "REBUILT"]
    given = {one["order_id"] for one in rebuilt if one["action"] == "ORDER"}
    lifted = {one["order_id"] for one in rebuilt if one["action"] == "LIFT"}
    assert given == set().union(*due.values())
    assert lifted == {order.order_id for order in known[other].listings[0].orders}
    assert {one["subject_key"] for one in rebuilt} == {listed[1:].decode(), other[1:].decode()}
    states = {one["listing_id"]: one["state"] for one in stopped.told(LISTINGS) if one["cause"] == "REBUILT"}
    assert states == {**dict.fromkeys(due, "LISTED"), "f" * 32: "REMOVED"}
    changes = {one["record_id"]: one["outcome"] for one in stopped.told(CHANGES) if one["cause"] == "REBUILT"}
    assert changes[STRAY.record_id] == "WITHDRAWN"
    assert None in changes, "the firm whose facts are the same has its standing told anew"
    assert len(changes) <= 4, "of a row that says nothing to anybody nothing is told"

    rebuilt_state = read_snapshots(stopped.brokers)[partition]
    assert firms(rebuilt_state)[listed].listings == listings
    assert rebuilt_state.values[lost] == snapshot.values[lost]
    assert stray not in rebuilt_state.values, "and no bundle is left that would bring it back"
    assert not any(
        stray == row
        for message in last_by_key(changelog(stopped.brokers, partition))
        if message.value() is not None and message.key() != SOURCE_KEY
        for row, _ in changes_of(message.key(), message.value())
    )
    assert "nothing to do" in lab.creditbus("rebuild", "--into", str(tmp_path / "second"), "--yes")


def last_by_key(messages: Iterable[Any]) -> list[Any]:
    """What compaction leaves."""
    return list({message.key(): message for message in messages}.values())


def changelog(brokers: str, partition: int) -> list[Any]:
    places = [TopicPartition(DOSSIER_CHANGELOG, partition, 0)]
    return [message for batch in read_to_end(brokers, "test", places) for message in batch]


def test_a_changelog_that_is_lost_comes_back_and_nobody_is_told_anything(stopped: Stopped, tmp_path: Path) -> None:
    lab, before = stopped.lab, {number: one.values for number, one in read_snapshots(stopped.brokers).items()}
    client, told = admin(stopped.brokers), [len(stopped.told(topic)) for topic in (CHANGES, LISTINGS)]
    client.delete_topics([DOSSIER_CHANGELOG])[DOSSIER_CHANGELOG].result(30)
    refused = lab.creditbus("rebuild", "--into", str(tmp_path / "none"), "--yes", expect=2)
    assert "creditbus deploy" in refused
    lab.creditbus("deploy")
    with stopped.dossier() as log:
        line = next(line for line in log if "state is missing" in line)
        assert "creditbus rebuild" in line, "it does not decide on less than it knew"
    assert "rebuilt" in lab.creditbus("rebuild", "--into", str(tmp_path / "first"), "--yes", "--processes", "2")
    assert {number: one.values for number, one in read_snapshots(stopped.brokers).items()} == before
    assert [len(stopped.told(topic)) for topic in (CHANGES, LISTINGS)] == told
    with stopped.dossier() as log:
        assert next(line for line in log if "partitions assigned" in line)


def test_whoever_lost_the_place_of_the_only_member_writes_nothing(stopped: Stopped, tmp_path: Path) -> None:
    plan = Plan(partition=0, position=1, changes={b"sX": b"x"}, fresh=frozenset(), subjects=1)
    place = Place(brokers=stopped.brokers, registry_url=stopped.registry_url, folder=tmp_path)
    with closing(Registry(stopped.registry_url)) as registry:
        rebuilding = Rebuilding(place, registry)
        with only_member(stopped.brokers, GROUP, RECORDS) as left:
            was = Fallen(left.committed, left.member)
        with only_member(stopped.brokers, GROUP, RECORDS) as present:
            before = len(changelog(stopped.brokers, 0)), present.committed
            with pytest.raises(ReconnectError, match="rebuilding partition 0"):
                rebuilding.write([plan], cast(Any, was))
    with only_member(stopped.brokers, GROUP, RECORDS) as present:
        assert (len(changelog(stopped.brokers, 0)), present.committed) == before


def test_nobody_takes_the_place_of_a_dossier_that_is_at_work(stopped: Stopped, monkeypatch: pytest.MonkeyPatch) -> None:
    with only_member(stopped.brokers, GROUP, RECORDS), ExitStack() as others:
        monkeypatch.setattr(seat, "_LEAVES_SECONDS", 0.5)
        with pytest.raises(AtWorkError, match="stop it first"):
            others.enter_context(only_member(stopped.brokers, GROUP, RECORDS))
