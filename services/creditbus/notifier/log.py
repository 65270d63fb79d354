"""The topics of one webhook, read from where its endpoint has taken everything."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing

from confluent_kafka import OFFSET_STORED, Consumer, Message, TopicPartition

from creditbus.bus.kafka import PATIENT, consumer_config, translated
from creditbus.bus.reading import bounds_of
from creditbus.bus.topics import topic_of_family
from creditbus.core.errors import ReconnectError
from creditbus.core.topics import ALERTS, PERSON_SUFFIX
from creditbus.notifier.subscriptions import Subscription, group_of

_POLL_SECONDS = 0.2
_ANSWER_SECONDS = 15.0
_KEEP_SECONDS = 1.0


def topics_of(subscription: Subscription) -> list[str]:
    """The topics that a subscription needs."""
    suffixes = ("", PERSON_SUFFIX) if subscription.persons else ("",)
    families = [f"{topic_of_family(family)}{suffix}" for family in subscription.families for suffix in suffixes]
    return sorted({*families, *([ALERTS] if subscription.alerts else [])})


class SubscribedLog:
    """Reads without joining a group: a webhook has one reader, which may wait for its endpoint as long as it takes."""

    def __init__(self, brokers: str, name: str, subscription: Subscription) -> None:
        """Raises ReconnectError while the brokers are away."""
        self._kept_at = time.monotonic()
        self._consumer = Consumer(consumer_config(brokers, group_of(name), **PATIENT))
        with translated("opening the topics of a webhook"):
            self._consumer.assign(
                [
                    TopicPartition(topic, partition, OFFSET_STORED)
                    for topic in topics_of(subscription)
                    for partition in self._consumer.list_topics(topic, timeout=_ANSWER_SECONDS).topics[topic].partitions
                ]
            )

    def messages(self, stopping: Callable[[], bool]) -> Iterator[Message]:
        """Messages as they come, each partition in order. Raises ReconnectError when the brokers are lost for good."""
        while not stopping():
            with translated("reading"):
                message = self._consumer.poll(_POLL_SECONDS)
            if message is None:
                continue
            error = message.error()
            if error is None:
                yield message
            elif error.fatal():
                raise ReconnectError(f"Kafka: {error.str()} while reading")

    def done(self, message: Message) -> None:
        """The endpoint has it. Raises ReconnectError when that cannot be kept: it will get it again."""
        with translated("keeping the position of a webhook"):
            self._consumer.commit(message=message, asynchronous=False)

    def passed(self, message: Message) -> None:
        """Nothing of it was sent: the position moves on, now and then; whoever reads it again passes it again."""
        if time.monotonic() - self._kept_at > _KEEP_SECONDS:
            self._kept_at = time.monotonic()
            with translated("keeping the position of a webhook"):
                self._consumer.commit(message=message, asynchronous=True)

    def close(self) -> None:
        """Close the consumer."""
        self._consumer.close()


def begin(brokers: str, name: str, subscription: Subscription, *, at_start: bool) -> None:
    """Set where a new webhook begins: orders from the first on, alerts from now on, or with at_start from the first.

    Raises ReconnectError while the brokers are away.
    """
    group = group_of(name)
    places = [
        TopicPartition(topic, partition, end if topic == ALERTS and not at_start else first)
        for topic in topics_of(subscription)
        for partition, (first, end) in bounds_of(brokers, group, topic).items()
    ]
    with closing(Consumer(consumer_config(brokers, group))) as consumer, translated("setting where a webhook begins"):
        consumer.commit(offsets=places, asynchronous=False)
