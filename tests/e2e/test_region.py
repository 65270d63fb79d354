"""A region's own node: its records reach the hub once, what the hub decides comes back; alone it goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from confluent_kafka import Message, Producer

from creditbus.bus.kafka import producer_config
from creditbus.bus.reading import all_partitions, read_to_end
from creditbus.bus.registry import Registry
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.wire import Writers
from creditbus.catalogue.yamltext import parse_yaml
from creditbus.client.producer import BusClient
from creditbus.core.hashing import event_key
from creditbus.core.identity import Identity
from creditbus.lab.process import answers_http
from running_lab import RunningLab, lab_running
from waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.integration, pytest.mark.timeout(600)]
COURT, MARKET = "150100-zy", "150100-scjg"
EXAMPLES = Path(__file__).parents[2] / "schemas/avro/examples"
SUBJECT = "91150102MA0N123408"
RECORDS, IDENTITIES = "credit.records", "credit.identities"
HERE, ELSEWHERE = "150102600000013", "150203600000021"
"""Old numbers (工商注册号) of the firm, told of at the region and at another one."""


@dataclass(frozen=True, slots=True)
class Region:
    """A hub, and the node of a region that sends to it."""

    hub: RunningLab
    node: RunningLab

    keys: dict[str, str]

    @property
    def key(self) -> str:
        """The court's key."""
        return self.keys[COURT]

    def send(self, *numbers: int) -> None:
        """Events about one firm, to the region's gateway."""
        self.send_as(COURT, *map(event, numbers))

    def send_as(self, department: str, *events: dict[str, Any]) -> None:
        """Events of a department, to the region's gateway."""
        with BusClient(f"http://127.0.0.1:{self.node.port('gateway')}", self.keys[department]) as bus:
            receipts = bus.send(list(events))
        assert {receipt.status for receipt in receipts} == {"RECEIVED"}

    def asked(self, path: str) -> dict[str, Any]:
        """What the region's look-up answers."""
        headers = {"Authorization": f"Bearer {self.key}", "X-Purpose": "casework", "X-Basis": "test"}
        answer = httpx.get(f"http://127.0.0.1:{self.node.port('lookup')}{path}", headers=headers, timeout=30)
        return answer.json() if answer.status_code == httpx.codes.OK else {}

    def is_ready(self, part: str) -> bool:
        """Whether a part of the node is ready."""
        return answers_http(f"http://127.0.0.1:{self.node.port(part)}/health/ready")

    def has_record(self, number: int) -> bool:
        """Whether the region's look-up knows what became of an event."""
        return bool(self.asked(f"/v1/events/{event(number)['event_id']}").get("records"))

    def decided(self) -> int:
        """How many of the firm's records the hub's dossier has, as the region's look-up knows it."""
        dossier = self.asked(f"/v1/subjects/{SUBJECT}").get("dossier") or {}
        return int(dossier.get("counts", {}).get("CourtEnforcement", 0))


def example(name: str, number: int) -> dict[str, Any]:
    made: dict[str, Any] = json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    made["event_id"] = f"00000000-0000-4000-8000-0000000e{number:04}"
    made["document"]["number"] = f"节点〔2026〕{number}号"
    return made


def event(number: int) -> dict[str, Any]:
    made = example("CourtEnforcement/valid-firm", number)
    made["event_id"] = f"00000000-0000-4000-8000-0000000d{number:04}"
    made["document"]["number"] = made["facts"]["case_number"] = f"（2026）内01执{9_000 + number}号"
    return made


def records_on(lab: RunningLab, topic: str) -> list[bytes]:
    """Event keys of the committed records of a topic, each as often as it stands there."""
    told = [dict(message.headers() or ()) for message in messages_on(lab, topic)]
    return [cast("bytes", one["event_key"]) for one in told if "event_key" in one]


def messages_on(lab: RunningLab, topic: str) -> list[Message]:
    """Committed messages of a topic."""
    brokers = f"127.0.0.1:{lab.port('kafka')}"
    return [one for batch in read_to_end(brokers, "test", all_partitions(brokers, "test", topic)) for one in batch]


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Region]:
    folder = tmp_path_factory.mktemp("region")
    with ExitStack() as labs:
        hub = labs.enter_context(lab_running(folder / "hub", "--services", "clock,dossier,merge", merges="baotou"))
        node = labs.enter_context(lab_running(folder / "node", region="baotou", hub=str(hub.folder)))
        yield Region(hub, node, json.loads((hub.folder / "secrets" / "lab-keys.json").read_text()))


def test_records_go_up_once_through_kills_and_the_decision_comes_back(region: Region) -> None:
    before, there = region.decided(), len(records_on(region.hub, RECORDS))
    for start in range(0, 100, 20):
        region.send(*range(start, start + 20))
        if start == 20:
            region.node.kill("mirror")
        if start == 60:
            region.hub.kill("merge")
    wait_until("every dossier to come back", lambda: region.decided() == before + 100)
    at_hub = records_on(region.hub, RECORDS)
    assert len(at_hub) == len(set(at_hub)) == there + 100
    assert set(at_hub) == set(records_on(region.node, "credit.records.local"))


def test_a_region_works_alone_while_its_hub_is_away_and_catches_up(region: Region) -> None:
    others = region.decided()
    region.send(200)
    wait_until("the dossier", lambda: region.decided() == others + 1)
    before = region.decided()
    region.hub.creditbus("down")
    for part in ("gateway", "intake", "lookup"):
        region.node.kill(part)
    wait_until("the gateway again", lambda: region.is_ready("gateway"))
    wait_until("the look-up again", lambda: region.is_ready("lookup"))
    region.send(201)
    wait_until("the record at the region", lambda: region.has_record(201))
    assert region.decided() == before, "what it had it still answers"
    region.hub.creditbus("up", "--detach", "--services", "clock,dossier,merge", seconds=400)
    wait_until("the hub's dossier", lambda: region.decided() == before + 1)
    at_hub = records_on(region.hub, RECORDS)
    assert len(at_hub) == len(set(at_hub))


def test_what_was_sent_twice_is_at_the_hub_once_and_verify_says_so_at_both(region: Region) -> None:
    before = region.decided()
    region.send(300, 301)
    region.send(300)
    region.send(302)
    wait_until("every dossier to come back", lambda: region.decided() == before + 3)
    twice = event_key(COURT, event(300)["event_id"]).encode()
    wait_until("both deliveries", lambda: records_on(region.node, "credit.records.local").count(twice) == 2)
    assert records_on(region.hub, RECORDS).count(twice) == 1
    assert "at its hub" in region.node.creditbus("rebuild", "--into", str(region.node.folder / "not"), expect=2)
    told = region.node.creditbus("verify", "--topics-only")
    assert "every record of the region is at the hub, once" in told
    region.hub.creditbus("verify", "--topics-only")


def test_old_numbers_that_are_told_of_anywhere_name_the_firm_everywhere(region: Region) -> None:
    registered = example("Registration/valid-firm", 1)
    registered["facts"]["former_identifiers"] = [{"scheme": "REGISTRATION", "value": HERE}]
    region.send_as(MARKET, registered)
    wait_until("the hub to know it", lambda: f"REGISTRATION|{HERE}".encode() in numbers_on(region.hub))

    row = Identity("REGISTRATION", ELSEWHERE, SUBJECT[8:17])
    with closing(Registry(f"http://127.0.0.1:{region.hub.port('registry')}/apis/ccompat/v7")) as registry:
        value = Writers(registry, SchemaSet.load())(IDENTITIES, "Identity").of_struct(row)
    producer = Producer(producer_config(f"127.0.0.1:{region.hub.port('kafka')}"))
    producer.produce(IDENTITIES, value, row.key.encode())
    assert producer.flush(30) == 0
    wait_until("the region to know it", lambda: row.key.encode() in numbers_on(region.node))

    fined = example("Penalty/valid-fine", 2)
    fined["subject"]["identifiers"] = [{"scheme": "REGISTRATION", "value": ELSEWHERE}]
    region.send_as(MARKET, fined)
    path = f"/v1/events/{fined['event_id']}"
    wait_until("the record", lambda: bool(region.asked(path).get("records")))
    assert [one["subject_key"] for one in region.asked(path)["records"]] == [SUBJECT[8:17]]


def numbers_on(lab: RunningLab) -> set[bytes]:
    return {message.key() or b"" for message in messages_on(lab, IDENTITIES)}


def test_each_of_both_is_watched_with_all_its_parts(region: Region) -> None:
    at_the_hub = {"clock", "dossier", "merge"}
    at_the_node = {"clickhouse", "gateway", "intake", "warehouse", "lookup"}
    for lab, parts in ((region.hub, at_the_hub), (region.node, at_the_node)):
        (job,) = parse_yaml((lab.folder / "prometheus.yml").read_text(encoding="utf-8"))["scrape_configs"]
        watched = {one["labels"]["part"]: one["targets"][0] for one in job["static_configs"]}
        assert watched.keys() == parts
        for target in watched.values():
            assert "# TYPE" in httpx.get(f"http://{target}/metrics", timeout=30).text
