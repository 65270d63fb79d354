"""Following orders with real Kafka and registry: committed ones only, each at least once, acknowledged once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from itertools import islice

import pytest
from confluent_kafka import Producer

from creditbus.bus.avro import encode
from creditbus.bus.kafka import admin, transactional_producer
from creditbus.bus.registry import Registry
from creditbus.bus.schemas import Schema, SchemaSet
from creditbus.bus.topics import Topic, ensure_topics, load_topics
from creditbus.client.subscriber import Executor, Order, Subscriber, acknowledgement_of
from creditbus.core.forms import compile_reader
from creditbus.core.framing import frame
from creditbus.core.outcome import Fault
from creditbus.core.records import day_of, start_of_day_ms

pytestmark = pytest.mark.integration

TOPIC = "credit.measures.M01"
EXECUTOR = Executor(sender="150000-ggzy", authority="111500000115123431", region="150000", item="P04-FEEDBACK")


@pytest.fixture(scope="module")
def order_schema() -> Schema:
    return SchemaSet.load().records["MeasureOrder"]


def order_value(message_id: str, action: str = "ORDER") -> dict[str, object]:
    texts = dict.fromkeys(
        ("list", "listing_id", "record_id", "cause", "cause_id", "executor", "text_zh", "text_en"), "x"
    )
    return {
        **texts,
        "order_id": "order-1",
        "message_id": message_id,
        "action": action,
        "family": "M01",
        "measure": "M01-1",
        "binding": "MANDATORY",
        "subject_key": "MA0N12340",
        "subject_kind": "LEGAL_PERSON",
        "subject_name": "示例有限公司",
        "identifier": "91150102MA0N123408",
        "basis": [],
        "region": "150100",
        "effective_on": day_of(date(2026, 11, 23)),
        "until": None,
        "fictitious": True,
        "at": start_of_day_ms(day_of(date(2026, 11, 23))),
    }


def produce(producer: Producer, schema_id: int, schema: Schema, value: dict[str, object]) -> None:
    producer.produce(TOPIC, frame(schema_id, encode(schema, value)), str(value["subject_key"]).encode())


def topic() -> Topic:
    return next(one for one in load_topics() if one.name == TOPIC)


@pytest.fixture
def schema_id(kafka_brokers: str, registry_url: str, order_schema: Schema) -> int:
    ensure_topics(kafka_brokers, [topic()])
    registry = Registry(registry_url)
    (pushed,) = registry.push([(TOPIC, order_schema)])
    registry.close()
    return pushed.schema_id


def test_a_subscriber_sees_committed_orders_only_and_goes_on_where_it_stopped(
    kafka_brokers: str, registry_url: str, order_schema: Schema, schema_id: int, unique_name: Callable[[str], str]
) -> None:
    run, group = unique_name("order"), unique_name("group")
    producer = transactional_producer(kafka_brokers, unique_name("tx"))
    producer.begin_transaction()
    produce(producer, schema_id, order_schema, order_value(f"{run}-aborted"))
    producer.flush()
    producer.abort_transaction()
    producer.begin_transaction()
    for number in range(3):
        produce(producer, schema_id, order_schema, order_value(f"{run}-{number}", "LIFT" if number == 2 else "ORDER"))
    producer.commit_transaction()

    def read(count: int) -> list[Order]:
        with Subscriber(kafka_brokers, registry_url, group=group) as subscriber:
            mine = (order for order in subscriber.orders(["M01"]) if order.message_id.startswith(run))
            return list(islice(mine, count))

    first, second = read(2), read(2)
    assert [order.message_id for order in first] == [f"{run}-0", f"{run}-1"]
    # the last one that was read was not confirmed by asking for the next: it comes again
    assert [order.message_id for order in second] == [f"{run}-1", f"{run}-2"]
    assert second[1].action == "LIFT"
    assert admin(kafka_brokers).list_topics(TOPIC, timeout=10).topics[TOPIC].error is None


@pytest.mark.parametrize(("action", "state"), [("ORDER", "APPLIED"), ("LIFT", "LIFTED"), ("SUSPEND", "LIFTED")])
def test_an_acknowledgement_fits_its_schema_and_has_one_id(action: str, state: str) -> None:
    order = Order.from_value(order_value("m-1", action))
    at = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
    event = dict(acknowledgement_of(order, EXECUTOR, at=at))
    assert event["event_id"] == acknowledgement_of(order, EXECUTOR, at=at)["event_id"]
    facts = event["facts"]
    assert isinstance(facts, dict)
    assert (facts["state"], facts["done_on"]) == (state, "2026-11-24")
    faults: list[Fault] = []
    kind = str(event.pop("kind"))
    compile_reader(SchemaSet.load().events[kind].definition)(event, "", faults)
    assert faults == []
