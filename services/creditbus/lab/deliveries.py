"""Whether webhooks were sent what they must not miss: every end of an order that one has passed is on the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, suppress
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from creditbus.bus.kafka import consumer_config, translated
from creditbus.bus.reading import all_partitions
from creditbus.bus.registry import Registry, UnknownSchemaError
from creditbus.bus.wire import Types, read_value
from creditbus.core.framing import WireError
from creditbus.core.topics import ACCESS, ALERTS
from creditbus.lab.reading import Progress, read_topic
from creditbus.lab.verify import Check
from creditbus.notifier.log import topics_of
from creditbus.notifier.steps import ENDING, delivery_id
from creditbus.notifier.subscriptions import Subscription, group_of
from creditbus.notifier.worker import DELIVERED, PASSED_OVER

_NAME = "every webhook that passed an order's end was sent it"
_ANSWER_SECONDS = 15.0


def check_deliveries(
    brokers: str, registry: Registry, webhooks: Mapping[str, Subscription], progress: Progress
) -> Iterator[Check]:
    """One check of all webhooks that get orders; none where there are none. Raises BusError.

    Orders themselves are not compared: whether a department had one depends on what it carried out that day.
    """
    of_orders = {name: one for name, one in webhooks.items() if one.families}
    if not of_orders:
        return
    types = Types(registry)
    # how far they are first, the ledger after it: what was sent is on the ledger before the position moves on
    passed = {name: list(_ends_passed(brokers, types, name, one, progress)) for name, one in of_orders.items()}
    ended: set[str] = set()

    def note(value: Mapping[str, Any]) -> None:
        if value["result"].startswith((DELIVERED, PASSED_OVER)):
            ended.add(value["access_id"])

    _each(brokers, types, (ACCESS, None), note, progress)
    wrong = [
        f"{name}: {message} was never sent"
        for name, messages in passed.items()
        for message in messages
        if delivery_id(name, message) not in ended
    ]
    yield Check(_NAME, sum(map(len, passed.values())), wrong)


def _ends_passed(
    brokers: str, types: Types, name: str, subscription: Subscription, progress: Progress
) -> Iterable[str]:
    """Ids of messages that end or suspend an order of a webhook's families, up to where the webhook is."""
    found: list[str] = []

    def note(value: Mapping[str, Any]) -> None:
        if value["family"] in subscription.families and value["action"] in ENDING:
            found.append(value["message_id"])

    for topic in topics_of(subscription):
        if topic != ALERTS:
            _each(brokers, types, (topic, _positions(brokers, name, topic)), note, progress)
    return found


def _positions(brokers: str, name: str, topic: str) -> dict[int, int]:
    """How far a webhook is in a topic: the next offset of each partition."""
    group = group_of(name)
    places = [TopicPartition(topic, one.partition) for one in all_partitions(brokers, group, topic)]
    with closing(Consumer(consumer_config(brokers, group))) as consumer, translated("reading how far a webhook is"):
        return {one.partition: max(0, one.offset) for one in consumer.committed(places, _ANSWER_SECONDS)}


def _each(brokers: str, types: Types, place: tuple[str, dict[int, int] | None], note: Any, progress: Progress) -> None:
    topic, ends = place

    def use(messages: Iterable[Any]) -> None:
        for message in messages:
            with suppress(WireError, UnknownSchemaError):  # readers pass over it, and tell of it
                note(read_value(types, message.value(), raw=False)[1])

    read_topic(brokers, topic, use, progress=progress, ends=ends)
